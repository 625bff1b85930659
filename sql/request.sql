-- Statements of the room request.

-- name: request_insert
INSERT INTO request (request_key, kind, regulation, agency, addressee, subject_kind, device_kind, form, form_citation, number, state, round,
    urgent, content, digest, reason, created_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13, $14, '', $15, $16) RETURNING id

-- name: request_by_key
SELECT id FROM request WHERE request_key = $1

-- name: request_find
SELECT id, request_key, kind, regulation, agency, addressee, subject_kind, device_kind, form, form_citation, number, state, round, urgent, content,
    digest, document, reason, created_at, created_by, signed_at, signed_by, sent_at, received_at, valid_at, due_at, escalated_at, closed_at
FROM request WHERE id = $1

-- The state is named: who moves a dossier that somebody else moved meanwhile changes nothing.
-- name: request_move
UPDATE request SET state = $3 WHERE id = $1 AND state = $2

-- name: request_set_content
UPDATE request SET content = $2, digest = $3, document = NULL, signed_at = NULL, signed_by = NULL, addressee = $4, number = $5 WHERE id = $1

-- name: request_set_signed
UPDATE request SET document = $2, signed_at = $3, signed_by = $4 WHERE id = $1

-- name: request_set_sent
UPDATE request SET sent_at = $2 WHERE id = $1

-- name: request_set_received
UPDATE request SET received_at = $2, valid_at = $3, due_at = $4, reason = '' WHERE id = $1

-- A dossier that must be supplemented has no clock: it starts again with the receipt of the next round.
-- name: request_set_supplement
UPDATE request SET reason = $2, valid_at = NULL, due_at = NULL, round = round + 1 WHERE id = $1

-- name: request_set_addressee
UPDATE request SET addressee = $2 WHERE id = $1

-- name: request_set_closed
UPDATE request SET closed_at = $2, reason = $3 WHERE id = $1

-- name: request_set_escalated
UPDATE request SET escalated_at = $2 WHERE id = $1 AND escalated_at IS NULL

-- name: request_list_all
SELECT id, kind, state, agency, addressee, number, form, created_at, received_at, due_at, closed_at, urgent FROM request
WHERE id < $1 ORDER BY id DESC LIMIT COALESCE(CAST($2 AS {int}), 50)

-- name: request_list_agency
SELECT id, kind, state, agency, addressee, number, form, created_at, received_at, due_at, closed_at, urgent FROM request
WHERE agency = $3 AND id < $1 ORDER BY id DESC LIMIT COALESCE(CAST($2 AS {int}), 50)

-- name: request_list_agency_state
SELECT id, kind, state, agency, addressee, number, form, created_at, received_at, due_at, closed_at, urgent FROM request
WHERE agency = $3 AND state = $4 AND id < $1 ORDER BY id DESC LIMIT COALESCE(CAST($2 AS {int}), 50)

-- name: request_list_state
SELECT id, kind, state, agency, addressee, number, form, created_at, received_at, due_at, closed_at, urgent FROM request
WHERE state = $3 AND id < $1 ORDER BY id DESC LIMIT COALESCE(CAST($2 AS {int}), 50)

-- name: request_list_addressee
SELECT id, kind, state, agency, addressee, number, form, created_at, received_at, due_at, closed_at, urgent FROM request
WHERE addressee = $3 AND state = $4 AND id < $1 ORDER BY id DESC LIMIT COALESCE(CAST($2 AS {int}), 50)

-- name: request_list_name
-- By name, then number: a page begins behind the last row of the one before, so time does not grow with those who bear the name.
SELECT r.id, r.kind, r.state, r.agency, r.addressee, r.number, r.form, r.created_at, r.received_at, r.due_at, r.closed_at, r.urgent, i.folded
FROM (SELECT folded, request FROM (SELECT DISTINCT folded, request FROM request_item WHERE folded = $3 AND request > $1
        ORDER BY request LIMIT COALESCE(CAST($2 AS {int}), 50)) same
      UNION ALL
      SELECT folded, request FROM (SELECT DISTINCT folded, request FROM request_item WHERE folded > $3 AND folded < $4
        ORDER BY folded, request LIMIT COALESCE(CAST($2 AS {int}), 50)) later) i JOIN request r ON r.id = i.request
ORDER BY i.folded, i.request LIMIT COALESCE(CAST($2 AS {int}), 50)

-- name: request_list_subject
SELECT DISTINCT r.id, r.kind, r.state, r.agency, r.addressee, r.number, r.form, r.created_at, r.received_at, r.due_at, r.closed_at, r.urgent
FROM request_item i JOIN request r ON r.id = i.request
WHERE i.subject = $3 AND i.request < $1 ORDER BY r.id DESC LIMIT COALESCE(CAST($2 AS {int}), 50)

-- Late is who has it and has not done it: being checked (5), accepted (8), carried out (9); a device that waits to be fetched is not late.
-- By deadline, from behind the last row of the page before.
-- name: request_list_overdue
SELECT id, kind, state, agency, addressee, number, form, created_at, received_at, due_at, closed_at, urgent FROM request
WHERE state IN (5, 8, 9) AND due_at <= $3 AND (due_at, id) > ($4, $1) AND (CAST($5 AS TEXT) = '' OR agency = $5)
    AND (CAST($6 AS TEXT) = '' OR addressee = $6)
ORDER BY due_at, id LIMIT COALESCE(CAST($2 AS {int}), 50)

-- name: request_list_untold
SELECT id, kind, state, agency, addressee, number, form, created_at, received_at, due_at, closed_at, urgent FROM request
WHERE state IN (5, 8, 9) AND due_at <= $1 AND escalated_at IS NULL ORDER BY due_at, id LIMIT COALESCE(CAST($2 AS {int}), 50)

-- name: request_item_insert
INSERT INTO request_item (request, place, state, subject, name, folded, email, certificate, device, ground, facts, reason, result)
VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8, $9, $10, '', '')

-- name: request_item_delete
DELETE FROM request_item WHERE request = $1

-- name: request_item_list
SELECT place, state, subject, name, email, certificate, device, ground, facts, matter, decided_at, decided_by, reason, result
FROM request_item WHERE request = $1 ORDER BY place

-- name: request_item_set_matter
UPDATE request_item SET matter = $3 WHERE request = $1 AND place = $2 AND matter IS NULL

-- Decided once: who comes second changes nothing.
-- name: request_item_decide
UPDATE request_item SET state = $3, decided_at = $4, decided_by = $5, reason = $6 WHERE request = $1 AND place = $2 AND state = 0

-- name: request_item_done
UPDATE request_item SET state = 3, result = $3, device = $4 WHERE request = $1 AND place = $2 AND state = 1

-- What a machine fetched by itself after its item was done.
-- name: request_item_fetched
UPDATE request_item SET result = $3 WHERE request = $1 AND place = $2 AND state = 3 AND result = ''

-- name: request_item_count
SELECT COUNT(*) FROM request_item WHERE request = $1 AND state = $2

-- name: request_open_insert
INSERT INTO request_open (open_key, request, place) VALUES ($1, $2, $3)

-- name: request_open_find
SELECT request, place FROM request_open WHERE open_key = $1

-- name: request_open_delete
DELETE FROM request_open WHERE request = $1

-- name: request_open_delete_item
DELETE FROM request_open WHERE request = $1 AND place = $2

-- name: request_execution_insert
INSERT INTO request_execution (request, place, step, owner, owner_until, device, attempts, error, started_at)
VALUES ($1, $2, 0, '', 0, '', 0, '', $3) ON CONFLICT (request, place) DO NOTHING

-- name: request_execution_find
SELECT place, step, owner, owner_until, device, attempts, error, started_at, finished_at FROM request_execution WHERE request = $1 AND place = $2

-- $5: the owner that was seen, whose time is over or who is known to be dead.
-- name: request_execution_take
UPDATE request_execution SET owner = $3, owner_until = $4, attempts = attempts + 1
WHERE request = $1 AND place = $2 AND owner = $5 AND finished_at IS NULL

-- name: request_execution_step
UPDATE request_execution SET step = $4, device = $5, owner_until = $6 WHERE request = $1 AND place = $2 AND owner = $3 AND finished_at IS NULL

-- name: request_execution_give
UPDATE request_execution SET owner = '', owner_until = 0, error = $4 WHERE request = $1 AND place = $2 AND owner = $3 AND finished_at IS NULL

-- name: request_execution_finish
UPDATE request_execution SET owner = '', owner_until = 0, error = '', finished_at = $4, step = $5
WHERE request = $1 AND place = $2 AND owner = $3 AND finished_at IS NULL

-- name: request_event_insert
INSERT INTO request_event (request, seq, at_utc, act, actor, role, from_state, to_state, citation, detail)
VALUES ($1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM request_event WHERE request = $1), $2, $3, $4, $5, $6, $7, $8, $9)

-- name: request_event_list
SELECT seq, at_utc, act, actor, role, from_state, to_state, citation, detail FROM request_event WHERE request = $1 ORDER BY seq

-- name: notice_insert
INSERT INTO notice (notice_key, kind, about, to_role, to_name, address, subject, body, citation, document, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (notice_key) DO NOTHING RETURNING id

-- name: notice_find
SELECT n.id, n.kind, n.about, n.to_role, n.to_name, n.address, n.subject, n.body, n.citation, n.document, n.created_at,
    o.state, o.tries, o.next_at, o.sent_at, o.error, o.message_id
FROM notice n LEFT JOIN outbox o ON o.notice = n.id WHERE n.id = $1

-- name: notice_list
SELECT n.id, n.kind, n.about, n.to_role, n.to_name, n.address, n.subject, n.created_at, o.state, o.tries, o.next_at, o.sent_at, o.error
FROM notice n LEFT JOIN outbox o ON o.notice = n.id WHERE n.id < $1 ORDER BY n.id DESC LIMIT COALESCE(CAST($2 AS {int}), 50)

-- name: notice_list_about
SELECT n.id, n.kind, n.about, n.to_role, n.to_name, n.address, n.subject, n.created_at, o.state, o.tries, o.next_at, o.sent_at, o.error
FROM notice n LEFT JOIN outbox o ON o.notice = n.id WHERE n.about = $3 AND n.id < $1 ORDER BY n.id DESC LIMIT COALESCE(CAST($2 AS {int}), 50)

-- name: outbox_insert
INSERT INTO outbox (notice, message_id, state, tries, next_at, owner, owner_until, error) VALUES ($1, $2, 0, 0, $3, '', 0, '')

-- The next letter that is due and that nobody has in hand.
-- name: outbox_due
SELECT o.id, o.message_id, o.tries, n.address, n.to_name, n.subject, n.body, n.document, n.created_at, n.id FROM outbox o JOIN notice n ON n.id = o.notice
WHERE o.state = 0 AND o.next_at <= $1 AND o.owner_until <= $1 ORDER BY o.next_at, o.id LIMIT 1

-- name: outbox_take
UPDATE outbox SET owner = $2, owner_until = $3 WHERE id = $1 AND state = 0 AND owner_until <= $4

-- name: outbox_sent
UPDATE outbox SET state = 1, tries = tries + 1, sent_at = $3, owner = '', owner_until = 0, error = '' WHERE id = $1 AND owner = $2 AND state = 0

-- name: outbox_later
UPDATE outbox SET state = $3, tries = tries + 1, next_at = $4, owner = '', owner_until = 0, error = $5 WHERE id = $1 AND owner = $2 AND state = 0

-- By a person's hand: once more, or not any more; not while somebody has it in hand, nor what a server has taken.
-- name: outbox_again
UPDATE outbox SET state = 0, next_at = $2, error = '' WHERE notice = $1 AND state <> 1 AND owner_until <= $2

-- name: outbox_aside
UPDATE outbox SET state = 3, error = $3 WHERE notice = $1 AND state IN (0, 2) AND owner_until <= $2

-- name: outbox_count
SELECT COUNT(*) FROM outbox WHERE state = $1

-- name: notice_job_find
SELECT done_until FROM notice_job WHERE name = $1

-- name: notice_job_put
INSERT INTO notice_job (name, done_until, at_utc) VALUES ($1, $2, $3)
ON CONFLICT (name) DO UPDATE SET done_until = excluded.done_until, at_utc = excluded.at_utc

-- What a dossier needs to know of a certificate (the table is that of ca).
-- name: request_certificate_find
SELECT status, not_after, renewals, subscriber, device, COALESCE(revoked_at, 0),
    (SELECT count(*) FROM certificate later WHERE later.predecessor = certificate.id) FROM certificate WHERE serial = $1 LIMIT 1

-- $3: what was looked at already, $4: since when; a certificate issued meanwhile is new. One that has a successor ends for nobody.
-- name: request_certificate_ending
SELECT serial, subscriber, not_after FROM certificate WHERE not_after > $1 AND not_after <= $2 AND status IN (0, 2) AND (not_after > $3 OR issued_at >= $4)
    AND NOT EXISTS (SELECT 1 FROM certificate later WHERE later.predecessor = certificate.id AND later.status IN (0, 2))
ORDER BY not_after, id

-- name: request_transferring
SELECT person.number, person.name, person.email, post.agency, post.until FROM post JOIN person ON person.id = post.person
WHERE post.until IS NOT NULL AND post.until > $1 AND post.until <= $2 AND person.state = 'active' AND (person.retires IS NULL OR person.retires > post.until)
ORDER BY post.until, post.id

-- name: request_retiring
SELECT number, name, email, agency, retires FROM person WHERE retires > $1 AND retires <= $2 AND state = 'active' ORDER BY retires, id

-- name: request_retired
SELECT number, name, email, agency, until FROM person WHERE until > $1 AND until <= $2 AND state <> 'active' ORDER BY until, id

-- What a person keeps: subscribers, his own and those he manages, and devices.
-- name: request_holdings
SELECT s.number, s.name FROM subscriber s WHERE s.person = (SELECT id FROM person WHERE number = $1) AND s.state = 'active'
UNION ALL SELECT s.number, s.name FROM subscriber s WHERE s.manager = (SELECT id FROM person WHERE number = $1) AND s.state = 'active'
UNION ALL SELECT d.number, '' FROM device d WHERE d.holder_kind = 'person' AND d.holder = (SELECT id FROM person WHERE number = $1)
