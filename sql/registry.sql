-- Statements of the room registry. A page statement takes lower and upper bound of the text, last text, last id, limit; one of an agency's own, the agency.

-- name: agency_insert
INSERT INTO agency (name, name_folded, superior, hierarchy, address, province, tax_code, budget_code, email, email_domain, regulation, seal_um,
    seal_document, since, code, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'active') RETURNING id

-- name: agency_update
UPDATE agency SET name = $1, name_folded = $2, superior = $3, hierarchy = $4, address = $5, province = $6, tax_code = $7, budget_code = $8,
    email = $9, email_domain = $10, regulation = $11, seal_um = $12, seal_document = $13, since = $14 WHERE id = $15

-- name: agency_find
SELECT a.id, COALESCE(a.code, ''), a.name, a.superior, COALESCE(s.name, ''), a.hierarchy, a.address, a.province, a.tax_code, a.budget_code, a.email,
    a.email_domain, a.regulation, a.seal_um, a.seal_document, a.state, a.since, a.until, a.successor FROM agency a LEFT JOIN agency s ON s.id = a.superior WHERE a.id = $1

-- name: agency_active_count
SELECT COUNT(*) FROM agency WHERE id = $1 AND state = 'active'

-- name: agency_above_count
WITH RECURSIVE up (id, superior, depth) AS (
    SELECT id, superior, 0 FROM agency WHERE id = CAST($1 AS {int})
    UNION ALL SELECT a.id, a.superior, up.depth + 1 FROM agency a JOIN up ON a.id = up.superior WHERE up.depth < 32)
SELECT COUNT(*) FROM up WHERE id = CAST($2 AS {int})

-- name: agency_regulation
WITH RECURSIVE up (id, superior, depth) AS (
    SELECT id, superior, 0 FROM agency WHERE id = CAST($1 AS {int})
    UNION ALL SELECT a.id, a.superior, up.depth + 1 FROM agency a JOIN up ON a.id = up.superior WHERE up.depth < 32)
SELECT a.regulation FROM up JOIN agency a ON a.id = up.id WHERE a.regulation <> '' ORDER BY up.depth LIMIT 1

-- name: agency_email_domain
WITH RECURSIVE up (id, superior, depth) AS (
    SELECT id, superior, 0 FROM agency WHERE id = CAST($1 AS {int})
    UNION ALL SELECT a.id, a.superior, up.depth + 1 FROM agency a JOIN up ON a.id = up.superior WHERE up.depth < 32)
SELECT a.email_domain FROM up JOIN agency a ON a.id = up.id WHERE a.email_domain <> '' ORDER BY up.depth LIMIT 1

-- name: agency_page_superior
SELECT a.id, COALESCE(a.code, ''), a.name, a.superior, COALESCE(s.name, ''), a.hierarchy, a.address, a.province, a.tax_code, a.budget_code, a.email,
    a.email_domain, a.regulation, a.seal_um, a.seal_document, a.state, a.since, a.until, a.successor, a.name_folded FROM agency a LEFT JOIN agency s ON s.id = a.superior
WHERE a.superior = $6 AND $1 <= $2 AND a.name_folded < $2 AND (a.name_folded, a.id) > ($3, $4)
ORDER BY a.name_folded, a.id LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: agency_page_name
SELECT a.id, COALESCE(a.code, ''), a.name, a.superior, COALESCE(s.name, ''), a.hierarchy, a.address, a.province, a.tax_code, a.budget_code, a.email,
    a.email_domain, a.regulation, a.seal_um, a.seal_document, a.state, a.since, a.until, a.successor, a.name_folded FROM agency a LEFT JOIN agency s ON s.id = a.superior
WHERE $1 <= $2 AND a.name_folded < $2 AND (a.name_folded, a.id) > ($3, $4)
ORDER BY a.name_folded, a.id LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: agency_page_part sqlite
SELECT a.id, COALESCE(a.code, ''), a.name, a.superior, COALESCE(s.name, ''), a.hierarchy, a.address, a.province, a.tax_code, a.budget_code, a.email,
    a.email_domain, a.regulation, a.seal_um, a.seal_document, a.state, a.since, a.until, a.successor, a.name_folded FROM agency a LEFT JOIN agency s ON s.id = a.superior
WHERE instr(a.name_folded, ' ' || CAST($1 AS TEXT)) > 0 AND NOT (a.name_folded >= $1 AND a.name_folded < $2) AND (a.name_folded, a.id) > ($3, $4)
ORDER BY a.name_folded, a.id LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: agency_page_superior_part sqlite
SELECT a.id, COALESCE(a.code, ''), a.name, a.superior, COALESCE(s.name, ''), a.hierarchy, a.address, a.province, a.tax_code, a.budget_code, a.email,
    a.email_domain, a.regulation, a.seal_um, a.seal_document, a.state, a.since, a.until, a.successor, a.name_folded FROM agency a LEFT JOIN agency s ON s.id = a.superior
WHERE a.superior = $6 AND instr(a.name_folded, ' ' || CAST($1 AS TEXT)) > 0 AND NOT (a.name_folded >= $1 AND a.name_folded < $2) AND (a.name_folded, a.id) > ($3, $4)
ORDER BY a.name_folded, a.id LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: agency_page_part postgresql
SELECT a.id, COALESCE(a.code, ''), a.name, a.superior, COALESCE(s.name, ''), a.hierarchy, a.address, a.province, a.tax_code, a.budget_code, a.email,
    a.email_domain, a.regulation, a.seal_um, a.seal_document, a.state, a.since, a.until, a.successor, a.name_folded FROM agency a LEFT JOIN agency s ON s.id = a.superior
WHERE strpos(a.name_folded, ' ' || CAST($1 AS TEXT)) > 0 AND NOT (a.name_folded >= $1 AND a.name_folded < $2) AND (a.name_folded, a.id) > ($3, $4)
ORDER BY a.name_folded, a.id LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: agency_page_superior_part postgresql
SELECT a.id, COALESCE(a.code, ''), a.name, a.superior, COALESCE(s.name, ''), a.hierarchy, a.address, a.province, a.tax_code, a.budget_code, a.email,
    a.email_domain, a.regulation, a.seal_um, a.seal_document, a.state, a.since, a.until, a.successor, a.name_folded FROM agency a LEFT JOIN agency s ON s.id = a.superior
WHERE a.superior = $6 AND strpos(a.name_folded, ' ' || CAST($1 AS TEXT)) > 0 AND NOT (a.name_folded >= $1 AND a.name_folded < $2) AND (a.name_folded, a.id) > ($3, $4)
ORDER BY a.name_folded, a.id LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: agency_code_find
SELECT agency, CASE state WHEN 'closed' THEN 1 ELSE 0 END FROM agency_code WHERE code = $1

-- name: agency_code_insert
INSERT INTO agency_code (code, agency, since, basis, state) VALUES ($1, $2, $3, $4, 'active')
ON CONFLICT (code) DO NOTHING

-- name: agency_code_insert_closed
INSERT INTO agency_code (code, agency, until, basis, state) VALUES ($1, $2, $3, $4, 'closed')
ON CONFLICT (code) DO NOTHING

-- name: agency_named_count
SELECT COUNT(*) FROM agency WHERE name_folded = $1 AND name = $2

-- name: agency_named
SELECT id FROM agency WHERE name_folded = $1 AND name = $2

-- name: agency_code_close
UPDATE agency_code SET state = 'closed', until = $2, successor = $3, basis = $4 WHERE agency = $1 AND state = 'active'

-- name: agency_code_set
UPDATE agency SET code = $2 WHERE id = $1

-- name: person_insert
INSERT INTO person (number, name, name_folded, born, identity, identity_issued, identity_place, email, phone, agency, since, retires, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'active') RETURNING id

-- name: person_update
UPDATE person SET name = $1, name_folded = $2, born = $3, identity = $4, identity_issued = $5, identity_place = $6, email = $7,
    phone = $8, retires = $9 WHERE id = $10

-- name: person_taken
SELECT CASE WHEN EXISTS (SELECT 1 FROM person WHERE number = $1 AND id <> $4) THEN 1
    WHEN $2 <> '' AND EXISTS (SELECT 1 FROM person WHERE email = $2 AND email <> '' AND id <> $4) THEN 2
    WHEN $3 <> '' AND EXISTS (SELECT 1 FROM person WHERE identity = $3 AND id <> $4) THEN 3 ELSE 0 END

-- name: person_find
SELECT p.id, p.number, p.name, p.born, COALESCE(p.identity, ''), p.identity_issued, p.identity_place, p.email, p.phone, p.agency, a.name, p.state, p.since,
    p.until, p.retires FROM person p JOIN agency a ON a.id = p.agency WHERE p.id = $1

-- name: person_find_number
SELECT p.id, p.number, p.name, p.born, COALESCE(p.identity, ''), p.identity_issued, p.identity_place, p.email, p.phone, p.agency, a.name, p.state, p.since,
    p.until, p.retires FROM person p JOIN agency a ON a.id = p.agency WHERE p.number = $1

-- name: person_end
UPDATE person SET state = $2, until = $3 WHERE id = $1 AND state = 'active'

-- name: person_move
UPDATE person SET agency = $2 WHERE id = $1

-- name: person_page_agency
SELECT p.id, p.number, p.name, p.born, COALESCE(p.identity, ''), p.identity_issued, p.identity_place, p.email, p.phone, p.agency, a.name, p.state, p.since,
    p.until, p.retires, p.name_folded FROM person p JOIN agency a ON a.id = p.agency
WHERE p.agency = $6 AND $1 <= $2 AND p.name_folded < $2 AND (p.name_folded, p.id) > ($3, $4)
ORDER BY p.name_folded, p.id LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: person_page_agency_key
SELECT p.id, p.number, p.name, p.born, COALESCE(p.identity, ''), p.identity_issued, p.identity_place, p.email, p.phone, p.agency, a.name, p.state, p.since,
    p.until, p.retires, p.name_folded FROM person p JOIN agency a ON a.id = p.agency
WHERE p.agency = $6 AND NOT (p.name_folded >= $1 AND p.name_folded < $2) AND (p.name_folded, p.id) > ($3, $4)
    AND EXISTS (SELECT 1 FROM person_tail o WHERE o.person = p.id AND o.tail >= $1 AND o.tail < $2)
ORDER BY p.name_folded, p.id LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: person_page_name
SELECT p.id, p.number, p.name, p.born, COALESCE(p.identity, ''), p.identity_issued, p.identity_place, p.email, p.phone, p.agency, a.name, p.state, p.since,
    p.until, p.retires, p.name_folded FROM person p JOIN agency a ON a.id = p.agency
WHERE $1 <= $2 AND p.name_folded < $2 AND (p.name_folded, p.id) > ($3, $4)
ORDER BY p.name_folded, p.id LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: person_page_key
SELECT p.id, p.number, p.name, p.born, COALESCE(p.identity, ''), p.identity_issued, p.identity_place, p.email, p.phone, p.agency, a.name, p.state, p.since,
    p.until, p.retires, w.tail FROM person_tail w JOIN person p ON p.id = w.person JOIN agency a ON a.id = p.agency
WHERE $1 <= $2 AND w.tail < $2 AND NOT (p.name_folded >= $1 AND p.name_folded < $2) AND (w.tail, w.person) > ($3, $4)
    AND NOT EXISTS (SELECT 1 FROM person_tail o WHERE o.person = w.person AND o.tail >= $1 AND o.tail < w.tail)
ORDER BY w.tail, w.person LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: person_tail_delete
DELETE FROM person_tail WHERE person = $1

-- name: person_tail_insert
INSERT INTO person_tail (tail, person) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: post_insert
INSERT INTO post (person, agency, title, authority, is_head, document, since, until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING id

-- name: post_end
UPDATE post SET until = $2 WHERE id = $1 AND since < $2 AND (until IS NULL OR until > $2)

-- name: post_end_person
UPDATE post SET until = $2 WHERE person = $1 AND since < $2 AND (until IS NULL OR until > $2)

-- name: post_list
SELECT o.id, o.person, o.agency, o.title, o.authority, o.is_head, o.document, o.since, o.until, p.name, p.number, a.name FROM post o JOIN person p ON p.id = o.person JOIN agency a ON a.id = o.agency WHERE o.person = $1 ORDER BY o.since, o.id LIMIT 1000

-- name: post_at
SELECT o.id, o.person, o.agency, o.title, o.authority, o.is_head, o.document, o.since, o.until, p.name, p.number, a.name FROM post o JOIN person p ON p.id = o.person JOIN agency a ON a.id = o.agency
WHERE o.person = $1 AND (CAST($2 AS {int}) = 0 OR o.agency = $2) AND o.since <= $3 AND (o.until IS NULL OR o.until > $3)
ORDER BY o.is_head DESC, o.since DESC, o.id DESC LIMIT 1

-- name: post_head
SELECT o.id, o.person, o.agency, o.title, o.authority, o.is_head, o.document, o.since, o.until, p.name, p.number, a.name FROM post o JOIN person p ON p.id = o.person JOIN agency a ON a.id = o.agency
WHERE o.agency = $1 AND o.is_head = 1 AND o.since <= $2 AND (o.until IS NULL OR o.until > $2) ORDER BY o.since DESC, o.id DESC LIMIT 1

-- name: duty_insert
INSERT INTO duty (person, agency, role, basis, document, since, until) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id

-- name: duty_end
UPDATE duty SET until = $2 WHERE id = $1 AND since < $2 AND (until IS NULL OR until > $2)

-- name: duty_end_person
UPDATE duty SET until = $2 WHERE person = $1 AND since < $2 AND (until IS NULL OR until > $2)

-- name: duty_list
SELECT d.id, d.person, d.agency, d.role, d.basis, d.document, d.since, d.until, a.name FROM duty d JOIN agency a ON a.id = d.agency
WHERE d.person = $1 ORDER BY d.since, d.id LIMIT 1000

-- name: duty_count
SELECT COUNT(*) FROM (SELECT id FROM duty LIMIT 1) one

-- name: duty_anywhere
SELECT d.agency FROM duty d JOIN person p ON p.id = d.person
WHERE d.person = $1 AND d.role = $2 AND CAST($3 AS {int}) = 0 AND d.since <= $4 AND (d.until IS NULL OR d.until > $4) AND p.state = 'active'
ORDER BY d.since DESC, d.id DESC LIMIT 1

-- name: duty_for_agency
WITH RECURSIVE up (id, superior, depth) AS (
    SELECT id, superior, 0 FROM agency WHERE id = CAST($3 AS {int})
    UNION ALL SELECT a.id, a.superior, up.depth + 1 FROM agency a JOIN up ON a.id = up.superior WHERE up.depth < 32)
SELECT d.agency FROM duty d JOIN up ON up.id = d.agency JOIN person p ON p.id = d.person
WHERE d.person = $1 AND d.role = $2 AND d.since <= $4 AND (d.until IS NULL OR d.until > $4) AND p.state = 'active'
ORDER BY up.depth LIMIT 1

-- name: subscriber_insert
INSERT INTO subscriber (agency, name, name_folded, label, email, manager, number, kind, person, since, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'active') RETURNING id

-- name: subscriber_update
UPDATE subscriber SET agency = $1, name = $2, name_folded = $3, label = $4, email = $5, manager = $6 WHERE id = $7

-- Each branch repeats the words of its partial index, or the index is not used.
-- name: subscriber_taken
SELECT CASE $1
    WHEN 'person' THEN (SELECT COUNT(*) FROM subscriber WHERE person = $2 AND state = 'active' AND kind = 'person')
    WHEN 'agency' THEN (SELECT COUNT(*) FROM subscriber WHERE agency = $3 AND state = 'active' AND kind = 'agency')
    ELSE (SELECT COUNT(*) FROM subscriber WHERE agency = $3 AND kind = $1 AND label = $4 AND state = 'active'
        AND kind IN ('agency-second', 'device-service-software')) END

-- name: subscriber_end
UPDATE subscriber SET state = 'ended', until = $2 WHERE id = $1 AND state = 'active'

-- name: subscriber_find
SELECT u.id, u.number, u.kind, u.agency, a.name, u.person, COALESCE(p.number, ''), u.name, u.label, u.email, u.manager, u.state, u.since, u.until FROM subscriber u JOIN agency a ON a.id = u.agency LEFT JOIN person p ON p.id = u.person WHERE u.id = $1

-- name: subscriber_find_number
SELECT u.id, u.number, u.kind, u.agency, a.name, u.person, COALESCE(p.number, ''), u.name, u.label, u.email, u.manager, u.state, u.since, u.until FROM subscriber u JOIN agency a ON a.id = u.agency LEFT JOIN person p ON p.id = u.person WHERE u.number = $1

-- name: subscriber_of_person
SELECT u.id, u.number, u.kind, u.agency, a.name, u.person, COALESCE(p.number, ''), u.name, u.label, u.email, u.manager, u.state, u.since, u.until FROM subscriber u JOIN agency a ON a.id = u.agency LEFT JOIN person p ON p.id = u.person WHERE u.person = $1 AND u.kind = 'person' AND u.state = 'active'

-- name: subscriber_page_agency
SELECT u.id, u.number, u.kind, u.agency, a.name, u.person, COALESCE(p.number, ''), u.name, u.label, u.email, u.manager, u.state, u.since, u.until, u.name_folded FROM subscriber u JOIN agency a ON a.id = u.agency LEFT JOIN person p ON p.id = u.person
WHERE u.agency = $6 AND $1 <= $2 AND u.name_folded < $2 AND (u.name_folded, u.id) > ($3, $4)
ORDER BY u.name_folded, u.id LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: subscriber_page_agency_key
SELECT u.id, u.number, u.kind, u.agency, a.name, u.person, COALESCE(p.number, ''), u.name, u.label, u.email, u.manager, u.state, u.since, u.until, u.name_folded FROM subscriber u JOIN agency a ON a.id = u.agency LEFT JOIN person p ON p.id = u.person
WHERE u.agency = $6 AND NOT (u.name_folded >= $1 AND u.name_folded < $2) AND (u.name_folded, u.id) > ($3, $4)
    AND EXISTS (SELECT 1 FROM subscriber_tail o WHERE o.subscriber = u.id AND o.tail >= $1 AND o.tail < $2)
ORDER BY u.name_folded, u.id LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: subscriber_page_name
SELECT u.id, u.number, u.kind, u.agency, a.name, u.person, COALESCE(p.number, ''), u.name, u.label, u.email, u.manager, u.state, u.since, u.until, u.name_folded FROM subscriber u JOIN agency a ON a.id = u.agency LEFT JOIN person p ON p.id = u.person
WHERE $1 <= $2 AND u.name_folded < $2 AND (u.name_folded, u.id) > ($3, $4)
ORDER BY u.name_folded, u.id LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: subscriber_page_key
SELECT u.id, u.number, u.kind, u.agency, a.name, u.person, COALESCE(p.number, ''), u.name, u.label, u.email, u.manager, u.state, u.since, u.until, w.tail FROM subscriber_tail w JOIN subscriber u ON u.id = w.subscriber JOIN agency a ON a.id = u.agency LEFT JOIN person p ON p.id = u.person
WHERE $1 <= $2 AND w.tail < $2 AND NOT (u.name_folded >= $1 AND u.name_folded < $2) AND (w.tail, w.subscriber) > ($3, $4)
    AND NOT EXISTS (SELECT 1 FROM subscriber_tail o WHERE o.subscriber = w.subscriber AND o.tail >= $1 AND o.tail < w.tail)
ORDER BY w.tail, w.subscriber LIMIT COALESCE(CAST($5 AS {int}), 0)

-- name: subscriber_tail_delete
DELETE FROM subscriber_tail WHERE subscriber = $1

-- name: subscriber_tail_insert
INSERT INTO subscriber_tail (tail, subscriber) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- Whose a certificate is never changes; the same again is the same. A trigger over the statement would refuse DO UPDATE even where none is done.
-- name: subscriber_cert_put
-- The newest must be known: of two in one second the later stands a second on.
INSERT INTO subscriber_certificate (serial, subscriber, device, object_id, since) VALUES ($1, $2, $3, $4,
    (SELECT CASE WHEN max(since) >= $5 THEN max(since) + 1 ELSE $5 END FROM subscriber_certificate WHERE subscriber = $2))
ON CONFLICT (serial) DO NOTHING

-- name: subscriber_cert_list
SELECT serial, subscriber, device, object_id, since FROM subscriber_certificate WHERE subscriber = $1 ORDER BY since DESC, serial LIMIT 1000

-- name: subscriber_cert_device
SELECT serial, subscriber, device, object_id, since FROM subscriber_certificate WHERE device = $1 ORDER BY since DESC, serial LIMIT 1000

-- name: subscriber_cert_find
SELECT serial, subscriber, device, object_id, since FROM subscriber_certificate WHERE serial = $1

-- name: device_insert
INSERT INTO device (kind, number, model, uri, carrier, phone, account, subscriber, place, note, state, event, link, holder_kind, holder)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'chua-dung', 1, 0, 'cuc', 0) RETURNING id

-- name: device_update
UPDATE device SET model = $1, uri = $2, carrier = $3, phone = $4, account = $5, subscriber = $6, place = $7, note = $8 WHERE id = $9

-- name: device_free_own
SELECT number FROM device WHERE state = 'chua-dung' AND kind = $1 AND subscriber = $2 ORDER BY number LIMIT 1

-- name: device_free
SELECT number FROM device WHERE state = 'chua-dung' AND kind = $1 AND subscriber IS NULL ORDER BY number LIMIT 1

-- name: device_find
SELECT d.id, d.kind, d.number, d.model, d.uri, d.carrier, d.phone, d.account, d.subscriber, d.state, d.event, d.link, d.holder_kind, d.holder, d.place, d.note,
    CASE d.holder_kind WHEN 'person' THEN COALESCE(hp.name, '') WHEN 'cuc' THEN '' WHEN 'buu-chinh' THEN '' ELSE COALESCE(ha.name, '') END,
    COALESCE(u.number, ''), COALESCE(u.name, '') FROM device d LEFT JOIN person hp ON d.holder_kind = 'person' AND hp.id = d.holder LEFT JOIN agency ha ON d.holder_kind <> 'person' AND ha.id = d.holder
LEFT JOIN subscriber u ON u.id = d.subscriber WHERE d.id = $1

-- name: device_find_number
SELECT d.id, d.kind, d.number, d.model, d.uri, d.carrier, d.phone, d.account, d.subscriber, d.state, d.event, d.link, d.holder_kind, d.holder, d.place, d.note,
    CASE d.holder_kind WHEN 'person' THEN COALESCE(hp.name, '') WHEN 'cuc' THEN '' WHEN 'buu-chinh' THEN '' ELSE COALESCE(ha.name, '') END,
    COALESCE(u.number, ''), COALESCE(u.name, '') FROM device d LEFT JOIN person hp ON d.holder_kind = 'person' AND hp.id = d.holder LEFT JOIN agency ha ON d.holder_kind <> 'person' AND ha.id = d.holder
LEFT JOIN subscriber u ON u.id = d.subscriber WHERE d.number = $1

-- name: device_page
SELECT d.id, d.kind, d.number, d.model, d.uri, d.carrier, d.phone, d.account, d.subscriber, d.state, d.event, d.link, d.holder_kind, d.holder, d.place, d.note,
    CASE d.holder_kind WHEN 'person' THEN COALESCE(hp.name, '') WHEN 'cuc' THEN '' WHEN 'buu-chinh' THEN '' ELSE COALESCE(ha.name, '') END,
    COALESCE(u.number, ''), COALESCE(u.name, '') FROM device d LEFT JOIN person hp ON d.holder_kind = 'person' AND hp.id = d.holder LEFT JOIN agency ha ON d.holder_kind <> 'person' AND ha.id = d.holder
LEFT JOIN subscriber u ON u.id = d.subscriber WHERE d.number > $1 ORDER BY d.number LIMIT COALESCE(CAST($2 AS {int}), 0)

-- name: device_page_state
SELECT d.id, d.kind, d.number, d.model, d.uri, d.carrier, d.phone, d.account, d.subscriber, d.state, d.event, d.link, d.holder_kind, d.holder, d.place, d.note,
    CASE d.holder_kind WHEN 'person' THEN COALESCE(hp.name, '') WHEN 'cuc' THEN '' WHEN 'buu-chinh' THEN '' ELSE COALESCE(ha.name, '') END,
    COALESCE(u.number, ''), COALESCE(u.name, '') FROM device d LEFT JOIN person hp ON d.holder_kind = 'person' AND hp.id = d.holder LEFT JOIN agency ha ON d.holder_kind <> 'person' AND ha.id = d.holder
LEFT JOIN subscriber u ON u.id = d.subscriber WHERE d.state = $3 AND d.number > $1 ORDER BY d.number LIMIT COALESCE(CAST($2 AS {int}), 0)

-- name: device_page_agency
SELECT d.id, d.kind, d.number, d.model, d.uri, d.carrier, d.phone, d.account, d.subscriber, d.state, d.event, d.link, d.holder_kind, d.holder, d.place, d.note,
    CASE d.holder_kind WHEN 'person' THEN COALESCE(hp.name, '') WHEN 'cuc' THEN '' WHEN 'buu-chinh' THEN '' ELSE COALESCE(ha.name, '') END,
    COALESCE(u.number, ''), COALESCE(u.name, '') FROM device d LEFT JOIN person hp ON d.holder_kind = 'person' AND hp.id = d.holder LEFT JOIN agency ha ON d.holder_kind <> 'person' AND ha.id = d.holder
LEFT JOIN subscriber u ON u.id = d.subscriber WHERE d.id IN (SELECT x.id FROM device x WHERE x.holder_kind = 'agency' AND x.holder = $3
    UNION ALL SELECT x.id FROM person y JOIN device x ON x.holder_kind = 'person' AND x.holder = y.id WHERE y.agency = $3)
    AND ($4 = '' OR d.state = $4) AND d.number > $1 ORDER BY d.number LIMIT COALESCE(CAST($2 AS {int}), 0)

-- name: device_page_holder
SELECT d.id, d.kind, d.number, d.model, d.uri, d.carrier, d.phone, d.account, d.subscriber, d.state, d.event, d.link, d.holder_kind, d.holder, d.place, d.note,
    CASE d.holder_kind WHEN 'person' THEN COALESCE(hp.name, '') WHEN 'cuc' THEN '' WHEN 'buu-chinh' THEN '' ELSE COALESCE(ha.name, '') END,
    COALESCE(u.number, ''), COALESCE(u.name, '') FROM device d LEFT JOIN person hp ON d.holder_kind = 'person' AND hp.id = d.holder LEFT JOIN agency ha ON d.holder_kind <> 'person' AND ha.id = d.holder
LEFT JOIN subscriber u ON u.id = d.subscriber WHERE d.holder_kind = $3 AND d.holder = $4 AND d.number > $1 ORDER BY d.number LIMIT COALESCE(CAST($2 AS {int}), 0)

-- name: device_page_subscriber
SELECT d.id, d.kind, d.number, d.model, d.uri, d.carrier, d.phone, d.account, d.subscriber, d.state, d.event, d.link, d.holder_kind, d.holder, d.place, d.note,
    CASE d.holder_kind WHEN 'person' THEN COALESCE(hp.name, '') WHEN 'cuc' THEN '' WHEN 'buu-chinh' THEN '' ELSE COALESCE(ha.name, '') END,
    COALESCE(u.number, ''), COALESCE(u.name, '') FROM device d LEFT JOIN person hp ON d.holder_kind = 'person' AND hp.id = d.holder LEFT JOIN agency ha ON d.holder_kind <> 'person' AND ha.id = d.holder
LEFT JOIN subscriber u ON u.id = d.subscriber WHERE d.subscriber = $3 AND d.number > $1 ORDER BY d.number LIMIT COALESCE(CAST($2 AS {int}), 0)

-- name: device_state_set
UPDATE device SET state = $2, event = $3 WHERE id = $1

-- name: device_holder_set
UPDATE device SET link = $2, holder_kind = $3, holder = $4 WHERE id = $1

-- name: device_transition_count
SELECT COUNT(*) FROM device_transition WHERE state_from = $1 AND state_to = $2

-- name: device_event_insert
INSERT INTO device_event (device, seq, seq_before, state_from, state_to, at, actor, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: device_event_list
SELECT seq, state_from, state_to, at, actor, reason FROM device_event WHERE device = $1 ORDER BY seq LIMIT 5000

-- name: custody_step_count
SELECT COUNT(*) FROM custody_step WHERE giver_kind = $1 AND taker_kind = $2

-- name: custody_insert
INSERT INTO custody (device, seq, seq_before, giver_kind, giver, taker_kind, taker, at, way, record, record_state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'signed')

-- name: custody_list
SELECT c.device, c.seq, c.giver_kind, c.giver, c.taker_kind, c.taker, c.at, c.way, c.record, r.number,
    CASE c.giver_kind WHEN 'person' THEN COALESCE(gp.name, '') ELSE COALESCE(ga.name, '') END,
    CASE c.taker_kind WHEN 'person' THEN COALESCE(tp.name, '') ELSE COALESCE(ta.name, '') END
FROM custody c JOIN device_record r ON r.id = c.record
LEFT JOIN person gp ON c.giver_kind = 'person' AND gp.id = c.giver LEFT JOIN agency ga ON c.giver_kind <> 'person' AND ga.id = c.giver
LEFT JOIN person tp ON c.taker_kind = 'person' AND tp.id = c.taker LEFT JOIN agency ta ON c.taker_kind <> 'person' AND ta.id = c.taker
WHERE c.device = $1 ORDER BY c.seq LIMIT 5000

-- name: record_insert
INSERT INTO device_record (number, form, medium, state, at, place, giver_kind, giver, taker_kind, taker, giver_signer, taker_signer, way, reason, step,
    pdf, sha256, made_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) RETURNING id

-- name: record_device_insert
INSERT INTO device_record_item (record, device) VALUES ($1, $2)

-- name: record_device_list
SELECT d.id, d.kind, d.number, d.model, d.uri, d.carrier, d.phone, d.account, d.subscriber, d.state, d.event, d.link, d.holder_kind, d.holder, d.place, d.note,
    CASE d.holder_kind WHEN 'person' THEN COALESCE(hp.name, '') WHEN 'cuc' THEN '' WHEN 'buu-chinh' THEN '' ELSE COALESCE(ha.name, '') END,
    COALESCE(u.number, ''), COALESCE(u.name, '') FROM device_record_item i JOIN device d ON d.id = i.device LEFT JOIN person hp ON d.holder_kind = 'person' AND hp.id = d.holder LEFT JOIN agency ha ON d.holder_kind <> 'person' AND ha.id = d.holder
LEFT JOIN subscriber u ON u.id = d.subscriber WHERE i.record = $1 ORDER BY d.number LIMIT 1000

-- name: record_giver_signed
UPDATE device_record SET state = 'half-signed', pdf = $3, sha256 = $4, giver_signed = $5 WHERE id = $1 AND state = 'draft' AND sha256 = $2

-- name: record_taker_signed
UPDATE device_record SET state = 'signed', pdf = $3, sha256 = $4, taker_signed = $5 WHERE id = $1 AND state = 'half-signed' AND sha256 = $2

-- name: record_void
UPDATE device_record SET state = 'void' WHERE id = $1 AND state IN ('draft', 'half-signed')

-- name: record_find
SELECT r.id, r.number, r.form, r.medium, r.state, r.at, r.place, r.giver_kind, r.giver, r.taker_kind, r.taker, r.giver_signer, r.taker_signer, r.giver_signed,
    r.taker_signed, r.way, r.reason, r.step, r.made_by FROM device_record r WHERE r.id = $1

-- name: record_pdf
SELECT pdf FROM device_record WHERE id = $1

-- name: record_signed_count
SELECT COUNT(*) FROM device_record WHERE id = $1 AND state = 'signed'

-- name: record_list_open
SELECT r.id, r.number, r.form, r.medium, r.state, r.at, r.place, r.giver_kind, r.giver, r.taker_kind, r.taker, r.giver_signer, r.taker_signer, r.giver_signed,
    r.taker_signed, r.way, r.reason, r.step, r.made_by FROM device_record r WHERE r.state IN ('draft', 'half-signed') ORDER BY r.id LIMIT 500

-- name: record_list_device
SELECT r.id, r.number, r.form, r.medium, r.state, r.at, r.place, r.giver_kind, r.giver, r.taker_kind, r.taker, r.giver_signer, r.taker_signer, r.giver_signed,
    r.taker_signed, r.way, r.reason, r.step, r.made_by FROM device_record_item i JOIN device_record r ON r.id = i.record WHERE i.device = $1 ORDER BY r.id LIMIT 1000

-- Mergers and transfers. A gathered row: id, one value of it (what it was), what people call it, its name, its kind.
-- name: reorganisation_insert
INSERT INTO reorganisation (kind, agency, document, effective, done_at, done_by, state, undone_by) VALUES ($1, $2, $3, $4, $5, $6, 'done', '')
RETURNING id

-- name: reorganisation_item_insert
INSERT INTO reorganisation_item (reorganisation, seq, kind, object, value_before) VALUES ($1, $2, $3, $4, $5)

-- name: reorganisation_find
SELECT kind, agency, state FROM reorganisation WHERE id = $1

-- name: reorganisation_items
SELECT object, value_before, kind, '', '' FROM reorganisation_item WHERE reorganisation = $1 ORDER BY seq DESC

-- name: reorganisation_undo
UPDATE reorganisation SET state = 'undone', undone_at = $2, undone_by = $3 WHERE id = $1 AND state = 'done'

-- name: reorganisation_agency
SELECT id, until, COALESCE(code, ''), name, '' FROM agency WHERE id = $1

-- name: reorganisation_units
SELECT id, superior, COALESCE(code, ''), name, '' FROM agency WHERE superior = $1 AND state = 'active' ORDER BY id

-- name: reorganisation_people
SELECT id, agency, number, name, '' FROM person WHERE agency = $1 AND state = 'active' ORDER BY id

-- name: reorganisation_person
SELECT id, agency, number, name, '' FROM person WHERE id = $1

-- name: reorganisation_posts
SELECT o.id, o.until, p.number, o.title, '' FROM post o JOIN person p ON p.id = o.person
WHERE (CAST($1 AS {int}) = 0 OR o.person = $1) AND o.agency = $2 AND o.since < $3 AND (o.until IS NULL OR o.until > $3) ORDER BY o.id

-- name: reorganisation_duties
SELECT d.id, d.until, p.number, d.role, '' FROM duty d JOIN person p ON p.id = d.person
WHERE (CAST($1 AS {int}) = 0 OR d.person = $1) AND d.agency = $2 AND d.since < $3 AND (d.until IS NULL OR d.until > $3) ORDER BY d.id

-- name: reorganisation_subscribers
SELECT id, agency, number, name, kind FROM subscriber WHERE agency = $1 AND state = 'active' AND kind = 'person' ORDER BY id

-- name: reorganisation_own_subscriber
SELECT id, agency, number, name, kind FROM subscriber WHERE person = $1 AND state = 'active' AND kind = 'person' ORDER BY id

-- name: reorganisation_ended
SELECT id, until, number, name, kind FROM subscriber WHERE agency = $1 AND state = 'active' AND kind <> 'person' ORDER BY id

-- name: reorganisation_certs
SELECT u.id, c.since, c.serial, u.name, u.kind FROM subscriber u JOIN subscriber_certificate c ON c.subscriber = u.id
WHERE u.state = 'active' AND (u.agency = $1 OR (u.person = $2 AND u.kind = 'person')) ORDER BY u.id, c.serial

-- name: reorganisation_devices
SELECT id, link, number, model, state FROM device WHERE holder_kind = 'agency' AND holder = $1 ORDER BY number

-- name: agency_superior_set
UPDATE agency SET superior = $2 WHERE id = $1

-- name: agency_successor_set
UPDATE agency SET successor = $2, state = 'merged' WHERE id = $1

-- name: agency_merged
UPDATE agency SET state = 'dissolved', until = $2 WHERE id = $1 AND state = 'active'

-- name: agency_reopen
UPDATE agency SET state = 'active', until = NULL, successor = NULL WHERE id = $1 AND state = 'merged' AND CAST($2 AS {int}) IS NULL

-- name: agency_code_reopen
UPDATE agency_code SET state = 'active', until = NULL, successor = NULL
WHERE agency = $1 AND code = (SELECT a.code FROM agency a WHERE a.id = $1)

-- name: subscriber_move
UPDATE subscriber SET agency = $2 WHERE id = $1

-- name: subscriber_reopen
UPDATE subscriber SET state = 'active', until = NULL WHERE id = $1 AND state = 'ended' AND CAST($2 AS {int}) IS NULL

-- name: post_until_set
UPDATE post SET until = $2 WHERE id = $1

-- name: duty_until_set
UPDATE duty SET until = $2 WHERE id = $1

-- name: post_delete
DELETE FROM post WHERE id = $1 AND CAST($2 AS {int}) IS NULL

-- A line that is refused takes back what it began.
-- name: import_line_start
SAVEPOINT line

-- name: import_line_keep
RELEASE SAVEPOINT line

-- name: import_line_undo
ROLLBACK TO SAVEPOINT line

-- name: import_job_line
SELECT rows_done FROM import_job WHERE digest = $1

-- name: import_job_put
INSERT INTO import_job (digest, kind, rows_done, added, refused, state, at) VALUES ($1, $6, $2, $3, $4, 'running', $5)
ON CONFLICT (digest) DO UPDATE SET rows_done = excluded.rows_done, added = excluded.added, refused = excluded.refused

-- Whole rows for a file: id, and the cells in the order of its columns. $1 after this id, $2 limit, $3 agency (0 = all; agencies: it and
-- what stands below it, superiors first, what is no more last).
-- name: export_agencies sqlite
WITH RECURSIVE down (id, depth) AS (
    SELECT id, 0 FROM agency WHERE CASE WHEN CAST($3 AS {int}) = 0 THEN superior IS NULL ELSE id = $3 END
    UNION ALL SELECT a.id, down.depth + 1 FROM agency a JOIN down ON a.superior = down.id WHERE down.depth < 32)
SELECT a.id, COALESCE(a.code, ''), a.name, COALESCE(s.code, s.name, ''), a.hierarchy, a.address, a.province, a.tax_code, a.budget_code, a.email, a.email_domain,
    a.regulation, a.seal_um, a.seal_document, a.since, a.state, a.until, COALESCE(n.code, n.name, ''),
    COALESCE((SELECT group_concat(c.code, ' ') FROM agency_code c WHERE c.agency = a.id AND c.state = 'closed' AND c.code <> COALESCE(a.code, '')), '')
FROM down JOIN agency a ON a.id = down.id LEFT JOIN agency s ON s.id = a.superior LEFT JOIN agency n ON n.id = a.successor
WHERE a.id > $1 ORDER BY CASE a.state WHEN 'active' THEN 0 ELSE 1 END, down.depth, a.id LIMIT COALESCE(CAST($2 AS {int}), 0)

-- name: export_agencies postgresql
WITH RECURSIVE down (id, depth) AS (
    SELECT id, 0 FROM agency WHERE CASE WHEN CAST($3 AS {int}) = 0 THEN superior IS NULL ELSE id = $3 END
    UNION ALL SELECT a.id, down.depth + 1 FROM agency a JOIN down ON a.superior = down.id WHERE down.depth < 32)
SELECT a.id, COALESCE(a.code, ''), a.name, COALESCE(s.code, s.name, ''), a.hierarchy, a.address, a.province, a.tax_code, a.budget_code, a.email, a.email_domain,
    a.regulation, a.seal_um, a.seal_document, a.since, a.state, a.until, COALESCE(n.code, n.name, ''),
    COALESCE((SELECT string_agg(c.code, ' ') FROM agency_code c WHERE c.agency = a.id AND c.state = 'closed' AND c.code <> COALESCE(a.code, '')), '')
FROM down JOIN agency a ON a.id = down.id LEFT JOIN agency s ON s.id = a.superior LEFT JOIN agency n ON n.id = a.successor
WHERE a.id > $1 ORDER BY CASE a.state WHEN 'active' THEN 0 ELSE 1 END, down.depth, a.id LIMIT COALESCE(CAST($2 AS {int}), 0)

-- name: export_people
SELECT p.id, p.number, p.name, COALESCE(a.code, a.name), p.email, p.born, COALESCE(p.identity, ''), p.identity_issued, p.identity_place, p.phone, p.since,
    p.retires, p.state, p.until
FROM person p JOIN agency a ON a.id = p.agency WHERE p.id > $1 AND (CAST($3 AS {int}) = 0 OR p.agency = $3) ORDER BY p.id LIMIT COALESCE(CAST($2 AS {int}), 0)

-- name: export_posts
SELECT o.id, p.number, COALESCE(a.code, a.name), o.title, o.authority, o.is_head, o.document, o.since, o.until
FROM post o JOIN person p ON p.id = o.person JOIN agency a ON a.id = o.agency
WHERE o.id > $1 AND (CAST($3 AS {int}) = 0 OR o.agency = $3) ORDER BY o.id LIMIT COALESCE(CAST($2 AS {int}), 0)

-- name: export_roles
SELECT d.id, p.number, COALESCE(a.code, a.name), d.role, d.basis, d.document, d.since, d.until
FROM duty d JOIN person p ON p.id = d.person JOIN agency a ON a.id = d.agency
WHERE d.id > $1 AND (CAST($3 AS {int}) = 0 OR d.agency = $3) ORDER BY d.id LIMIT COALESCE(CAST($2 AS {int}), 0)

-- name: export_subscribers
SELECT u.id, u.number, u.kind, COALESCE(a.code, a.name), COALESCE(p.number, ''), u.name, u.label, u.email, COALESCE(m.number, ''), u.since, u.state, u.until
FROM subscriber u JOIN agency a ON a.id = u.agency LEFT JOIN person p ON p.id = u.person LEFT JOIN person m ON m.id = u.manager
WHERE u.id > $1 AND (CAST($3 AS {int}) = 0 OR u.agency = $3) ORDER BY u.id LIMIT COALESCE(CAST($2 AS {int}), 0)

-- name: export_devices
SELECT d.id, d.number, d.kind, d.model, d.carrier, d.phone, d.account, COALESCE(u.number, ''), d.state, d.holder_kind,
    CASE d.holder_kind WHEN 'person' THEN COALESCE(hp.number, '') ELSE COALESCE(ha.code, ha.name, '') END, d.place, d.note
FROM device d LEFT JOIN subscriber u ON u.id = d.subscriber LEFT JOIN person hp ON d.holder_kind = 'person' AND hp.id = d.holder
LEFT JOIN agency ha ON d.holder_kind <> 'person' AND ha.id = d.holder
WHERE d.id > $1 AND (CAST($3 AS {int}) = 0 OR (d.holder_kind <> 'person' AND d.holder = $3) OR hp.agency = $3) ORDER BY d.id LIMIT COALESCE(CAST($2 AS {int}), 0)
