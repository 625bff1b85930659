-- Statements of the room enrol.

-- name: enrol_approval_insert
INSERT INTO enrol_approval (reference, salt, item, profile, subject, email, subscriber, agency, months, state, created_at, created_by, opened_at,
    opened_by, expires_at, failures)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0)

-- name: enrol_approval_find
SELECT id, reference, salt, item, profile, subject, email, subscriber, agency, months, state, created_at, created_by, expires_at, key_digest, used_at,
    serial, failures FROM enrol_approval WHERE reference = $1

-- name: enrol_approval_by_item
SELECT id, reference, salt, item, profile, subject, email, subscriber, agency, months, state, created_at, created_by, expires_at, key_digest, used_at,
    serial, failures FROM enrol_approval WHERE item = $1

-- name: enrol_approval_list
SELECT id, reference, salt, item, profile, subject, email, subscriber, agency, months, state, created_at, created_by, expires_at, key_digest, used_at,
    serial, failures FROM enrol_approval WHERE id < $1 ORDER BY id DESC LIMIT COALESCE(CAST($2 AS {int}), 50)

-- Approved later than announced: only what waits is opened.
-- name: enrol_approval_open
UPDATE enrol_approval SET state = 1, opened_at = $2, opened_by = $3 WHERE reference = $1 AND state = 0

-- name: enrol_approval_withdraw
UPDATE enrol_approval SET state = 3 WHERE reference = $1 AND state IN (0, 1)

-- The first key that comes takes it; the same key may come again.
-- name: enrol_approval_take
UPDATE enrol_approval SET state = 2, key_digest = $2, used_at = $3
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
