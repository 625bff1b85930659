-- Statements of the room enrol.

-- name: enrol_approval_insert
INSERT INTO enrol_approval (reference, salt, item, profile, subject, email, subscriber, agency, months, state, created_at, created_by, opened_at,
    opened_by, expires_at, authority, matter, failures)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0)

-- name: enrol_approval_find
SELECT id, reference, salt, item, profile, subject, email, subscriber, agency, months, state, created_at, created_by, expires_at, key_digest, used_at,
    serial, failures, authority, matter FROM enrol_approval WHERE reference = $1

-- name: enrol_approval_by_item
SELECT id, reference, salt, item, profile, subject, email, subscriber, agency, months, state, created_at, created_by, expires_at, key_digest, used_at,
    serial, failures, authority, matter FROM enrol_approval WHERE item = $1

-- name: enrol_approval_list
SELECT id, reference, salt, item, profile, subject, email, subscriber, agency, months, state, created_at, created_by, expires_at, key_digest, used_at,
    serial, failures, authority, matter FROM enrol_approval WHERE id < $1 ORDER BY id DESC LIMIT COALESCE(CAST($2 AS {int}), 50)

-- Approved later than announced: only what waits is opened.
-- name: enrol_approval_open
UPDATE enrol_approval SET state = 1, opened_at = $2, opened_by = $3 WHERE reference = $1 AND state = 0

-- name: enrol_approval_withdraw
UPDATE enrol_approval SET state = 3 WHERE reference = $1 AND state IN (0, 1)

-- The first key that comes takes it; the same key may come again.
-- name: enrol_approval_take
UPDATE enrol_approval SET state = 2, key_digest = $2, used_at = COALESCE(used_at, $3)
WHERE reference = $1 AND (state = 1 OR (state = 2 AND key_digest = $2))

-- A certificate that was refused by the authority gives the approval back.
-- name: enrol_approval_give
UPDATE enrol_approval SET state = 1, key_digest = NULL, used_at = NULL WHERE reference = $1 AND state = 2 AND serial IS NULL AND key_digest = $2

-- name: enrol_approval_done
UPDATE enrol_approval SET serial = $2 WHERE reference = $1 AND state = 2

-- name: enrol_approval_failed
UPDATE enrol_approval SET failures = failures + 1 WHERE reference = $1 AND failures < $2

-- name: enrol_transaction_insert
INSERT INTO enrol_transaction (transaction_key, state, body, request_id, server_nonce, implicit, request, certificate, party, at_utc)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (transaction_key) DO NOTHING

-- name: enrol_transaction_find
SELECT state, body, request_id, server_nonce, implicit, request, certificate, at_utc FROM enrol_transaction WHERE transaction_key = $1

-- The state is named: of two messages that race one wins.
-- name: enrol_transaction_save
UPDATE enrol_transaction SET state = $3, request_id = $4, server_nonce = $5, implicit = $6, request = $7, certificate = $8
WHERE transaction_key = $1 AND state = $2

-- Issued, and not confirmed in time.
-- name: enrol_transaction_unconfirmed
SELECT transaction_key, certificate, party FROM enrol_transaction WHERE state = 2 AND at_utc < $1 ORDER BY at_utc LIMIT 100

-- name: enrol_transaction_delete_old
DELETE FROM enrol_transaction WHERE at_utc < $1 AND state <> 2

-- name: trust_list_latest
SELECT sequence, digest, content, signature, this_update, next_update FROM trust_list ORDER BY sequence DESC LIMIT 1

-- name: trust_list_insert
INSERT INTO trust_list (sequence, digest, content, signature, this_update, next_update) VALUES ($1, $2, $3, $4, $5, $6)

-- Roots and issuing authorities that are in force, the oldest first; retired ones still stand behind what they issued.
-- name: trust_authorities
SELECT certificate FROM authority WHERE kind IN ('root', 'issuing') AND not_after > $1 ORDER BY id

-- Search for the public: what certificates say, and nothing of the register. $1 where to begin, $2 where to end, $3 $4 behind which row.
-- name: search_subject
SELECT c.id, c.serial, c.subject, c.profile, c.not_before, c.not_after, c.status, c.revoked_at, c.reason, a.name, c.subject_folded
FROM certificate c JOIN authority a ON a.id = c.authority
WHERE c.subject_folded >= $1 AND c.subject_folded < $2 AND (c.subject_folded > $3 OR c.id > CAST($4 AS {int}))
ORDER BY c.subject_folded, c.id LIMIT COALESCE(CAST($5 AS {int}), 20)

-- name: search_agency
SELECT c.id, c.serial, c.subject, c.profile, c.not_before, c.not_after, c.status, c.revoked_at, c.reason, a.name, c.agency_folded
FROM certificate c JOIN authority a ON a.id = c.authority
WHERE c.agency_folded >= $1 AND c.agency_folded < $2 AND (c.agency_folded > $3 OR c.id > CAST($4 AS {int}))
ORDER BY c.agency_folded, c.id LIMIT COALESCE(CAST($5 AS {int}), 20)

-- name: search_email
SELECT c.id, c.serial, c.subject, c.profile, c.not_before, c.not_after, c.status, c.revoked_at, c.reason, a.name, c.email_folded
FROM certificate c JOIN authority a ON a.id = c.authority
WHERE c.email_folded <> '' AND c.email_folded = $1 AND c.email_folded < $2 AND (c.email_folded > $3 OR c.id > CAST($4 AS {int}))
ORDER BY c.email_folded, c.id LIMIT COALESCE(CAST($5 AS {int}), 20)

-- name: search_serial
SELECT c.id, c.serial, c.subject, c.profile, c.not_before, c.not_after, c.status, c.revoked_at, c.reason, a.name, ''
FROM certificate c JOIN authority a ON a.id = c.authority WHERE c.serial = $1 ORDER BY c.authority LIMIT 4

-- name: search_cursor
SELECT subject_folded, agency_folded, email_folded FROM certificate WHERE id = $1

-- name: search_certificate
SELECT der FROM certificate WHERE serial = $1 ORDER BY authority LIMIT 1

-- What must never be: run by `antin doctor --deep`, backups and the fault tests.
-- name: invariant_enrol_certificate
SELECT 'enrolment ' || a.reference || ': no certificate of the approved item has the number noted' FROM enrol_approval a
WHERE a.serial IS NOT NULL AND NOT EXISTS (SELECT 1 FROM certificate c WHERE c.serial = a.serial AND c.request_key = a.item)

-- name: invariant_enrol_unapproved
SELECT 'enrolment ' || a.reference || ': withdrawn or waiting, and yet a certificate' FROM enrol_approval a
WHERE a.state IN (0, 3) AND EXISTS (SELECT 1 FROM certificate c WHERE c.request_key = a.item)

-- name: invariant_trust_list
SELECT 'trust list: numbers with gaps' FROM (SELECT COUNT(*) AS many, MAX(sequence) AS latest FROM trust_list) t WHERE t.many > 0 AND t.many <> t.latest
