-- Statements of the room ca.

-- name: authority_insert
INSERT INTO authority (name, line, kind, hierarchy, profile, parent, certificate, serial, key, base_url, crl_partitions, not_before, not_after, status, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14) ON CONFLICT (name) DO NOTHING

-- name: authority_list
SELECT id, name, line, kind, hierarchy, profile, parent, certificate, key, ocsp_certificate, ocsp_key, base_url, crl_partitions, status FROM authority ORDER BY id

-- name: authority_set_ocsp
UPDATE authority SET ocsp_certificate = $2, ocsp_key = $3 WHERE id = $1

-- name: authority_retire
UPDATE authority SET status = 1 WHERE line = $1 AND status = 0

-- name: certificate_insert
INSERT INTO certificate (authority, serial, partition, der, profile, subject, subject_folded, agency_folded, email_folded, not_before, not_after, subscriber, device,
    status, ground, request_key, request_digest, predecessor, kind, renewals, matter, issued_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, '', $14, $15, $16, $17, $18, $19, $20)
ON CONFLICT (request_key) DO NOTHING RETURNING id

-- name: certificate_by_request
SELECT c.id, c.request_digest, c.der, c.authority FROM certificate c WHERE c.request_key = $1

-- name: certificate_by_serial
SELECT c.id, c.authority, c.serial, c.partition, c.der, c.profile, c.subject, c.not_before, c.not_after, c.subscriber, c.device, c.status, c.revoked_at, c.reason, c.ground, c.predecessor, c.kind, c.renewals, c.matter, c.issued_at, a.name FROM certificate c JOIN authority a ON a.id = c.authority WHERE c.serial = $1 ORDER BY c.authority LIMIT 2

-- name: certificate_by_id
SELECT c.id, c.authority, c.serial, c.partition, c.der, c.profile, c.subject, c.not_before, c.not_after, c.subscriber, c.device, c.status, c.revoked_at, c.reason, c.ground, c.predecessor, c.kind, c.renewals, c.matter, c.issued_at, a.name FROM certificate c JOIN authority a ON a.id = c.authority WHERE c.id = $1

-- name: certificate_set_status
UPDATE certificate SET status = $3, revoked_at = $4, reason = $5, ground = $6 WHERE id = $1 AND status = $2

-- name: certificate_expired
SELECT id FROM certificate WHERE status IN (0, 2) AND not_after < $1 ORDER BY not_after LIMIT COALESCE(CAST($2 AS {int}), 50)

-- name: certificate_list
SELECT c.id, c.authority, c.serial, c.partition, c.der, c.profile, c.subject, c.not_before, c.not_after, c.subscriber, c.device, c.status, c.revoked_at, c.reason, c.ground, c.predecessor, c.kind, c.renewals, c.matter, c.issued_at, a.name FROM certificate c JOIN authority a ON a.id = c.authority WHERE c.id < COALESCE(CAST($1 AS {int}), 9223372036854775807) ORDER BY c.id DESC LIMIT COALESCE(CAST($2 AS {int}), 50)

-- name: certificate_search_subject
SELECT c.id, c.authority, c.serial, c.partition, c.der, c.profile, c.subject, c.not_before, c.not_after, c.subscriber, c.device, c.status, c.revoked_at, c.reason, c.ground, c.predecessor, c.kind, c.renewals, c.matter, c.issued_at, a.name FROM certificate c JOIN authority a ON a.id = c.authority WHERE c.subject_folded >= $1 AND c.subject_folded < $2 ORDER BY c.subject_folded, c.id LIMIT COALESCE(CAST($3 AS {int}), 50)

-- name: certificate_search_agency
SELECT c.id, c.authority, c.serial, c.partition, c.der, c.profile, c.subject, c.not_before, c.not_after, c.subscriber, c.device, c.status, c.revoked_at, c.reason, c.ground, c.predecessor, c.kind, c.renewals, c.matter, c.issued_at, a.name FROM certificate c JOIN authority a ON a.id = c.authority WHERE c.agency_folded >= $1 AND c.agency_folded < $2 ORDER BY c.agency_folded, c.id LIMIT COALESCE(CAST($3 AS {int}), 50)

-- name: certificate_search_email
SELECT c.id, c.authority, c.serial, c.partition, c.der, c.profile, c.subject, c.not_before, c.not_after, c.subscriber, c.device, c.status, c.revoked_at, c.reason, c.ground, c.predecessor, c.kind, c.renewals, c.matter, c.issued_at, a.name FROM certificate c JOIN authority a ON a.id = c.authority WHERE c.email_folded <> '' AND c.email_folded >= $1 AND c.email_folded < $2 ORDER BY c.email_folded, c.id LIMIT COALESCE(CAST($3 AS {int}), 50)

-- name: certificate_of_subscriber
SELECT c.id, c.authority, c.serial, c.partition, c.der, c.profile, c.subject, c.not_before, c.not_after, c.subscriber, c.device, c.status, c.revoked_at, c.reason, c.ground, c.predecessor, c.kind, c.renewals, c.matter, c.issued_at, a.name FROM certificate c JOIN authority a ON a.id = c.authority WHERE c.subscriber <> '' AND c.subscriber = $1 ORDER BY c.id DESC LIMIT COALESCE(CAST($2 AS {int}), 50)

-- name: certificate_act_insert
INSERT INTO certificate_act (request_key, certificate, act, ground, at_utc, matter) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (request_key) DO NOTHING

-- name: certificate_act_find
SELECT certificate, act, ground FROM certificate_act WHERE request_key = $1
