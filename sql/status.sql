-- Statements of certificate status: revocations, lists, status answers.

-- name: revocation_find
SELECT sequence, kind, partition FROM revocation WHERE authority = $1 AND serial = $2 AND is_current = 1

-- name: revocation_end
UPDATE revocation SET is_current = 0 WHERE sequence = $1

-- name: revocation_insert
INSERT INTO revocation (authority, partition, serial, kind, is_current, at_utc, entry) VALUES ($1, $2, $3, $4, 1, $5, $6)

-- name: revocation_since
SELECT sequence, authority, serial FROM revocation WHERE sequence > $1 ORDER BY sequence LIMIT 10000

-- name: revocation_last
SELECT sequence FROM revocation ORDER BY sequence DESC LIMIT 1

-- name: revocation_last_of
SELECT sequence FROM revocation WHERE authority = $1 ORDER BY sequence DESC LIMIT 1

-- name: crl_block_spoil
UPDATE crl_block SET is_stale = 1 WHERE authority = $1 AND partition = $2 AND first_sequence <= $3 AND last_sequence >= $3

-- name: crl_fold_find
SELECT sequence FROM crl_fold WHERE authority = $1

-- name: crl_fold_put
INSERT INTO crl_fold (authority, sequence) VALUES ($1, $2) ON CONFLICT (authority) DO UPDATE SET sequence = excluded.sequence

-- name: crl_fold_rows
SELECT sequence, partition, entry FROM revocation WHERE authority = $1 AND sequence > $2 AND is_current = 1 AND kind <> 2
ORDER BY sequence LIMIT 16384

-- name: crl_block_insert
INSERT INTO crl_block (authority, partition, first_sequence, last_sequence, entry_count, size, is_stale, content)
VALUES ($1, $2, $3, $4, $5, $6, 0, $7)

-- name: crl_block_stale
SELECT partition, first_sequence, last_sequence FROM crl_block WHERE authority = $1 AND is_stale = 1 ORDER BY partition, first_sequence LIMIT 64

-- name: crl_block_rows
SELECT sequence, partition, entry FROM revocation
WHERE authority = $1 AND partition = $2 AND sequence BETWEEN $3 AND $4 AND is_current = 1 AND kind <> 2 ORDER BY sequence

-- name: crl_block_put
UPDATE crl_block SET entry_count = $4, size = $5, is_stale = 0, content = $6 WHERE authority = $1 AND partition = $2 AND first_sequence = $3

-- name: crl_block_sum
SELECT CAST(COALESCE(SUM(entry_count), 0) AS {int}), CAST(COALESCE(SUM(size), 0) AS {int}), CAST(COALESCE(SUM(is_stale), 0) AS {int})
FROM crl_block WHERE authority = $1 AND (partition = $2 OR CAST($2 AS {int}) = 0)

-- name: crl_block_each
SELECT content FROM crl_block WHERE authority = $1 AND (partition = $2 OR CAST($2 AS {int}) = 0) ORDER BY partition, first_sequence

-- The rows behind the blocks.
-- name: crl_tail_sum
SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(entry)), 0) AS {int}) FROM revocation
WHERE authority = $1 AND (partition = $2 OR CAST($2 AS {int}) = 0) AND sequence > $3 AND is_current = 1 AND kind <> 2

-- name: crl_tail_each
SELECT entry FROM revocation
WHERE authority = $1 AND (partition = $2 OR CAST($2 AS {int}) = 0) AND sequence > $3 AND is_current = 1 AND kind <> 2 ORDER BY sequence

-- Changes since a base: releases too, as removeFromCRL.
-- name: crl_delta_sum
SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(entry)), 0) AS {int}) FROM revocation WHERE authority = $1 AND sequence > $2 AND is_current = 1

-- name: crl_delta_each
SELECT entry FROM revocation WHERE authority = $1 AND sequence > $2 AND is_current = 1 ORDER BY sequence

-- name: crl_issued_insert
INSERT INTO crl_issued (authority, number, partition, base_number, sequence, this_update, next_update, entry_count, size)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- The last full list of everything: what a delta builds on.
-- name: crl_issued_base
SELECT number, sequence, this_update, next_update FROM crl_issued WHERE authority = $1 AND partition = 0 AND base_number = 0
ORDER BY number DESC LIMIT 1

-- name: ocsp_answer_find
SELECT o.next_update, o.answer FROM certificate c JOIN ocsp_answer o ON o.certificate = c.id WHERE c.serial = $2 AND c.authority = $1

-- name: ocsp_answer_insert
INSERT INTO ocsp_answer (certificate, next_update, answer) VALUES ($1, $2, $3)

-- name: ocsp_answer_delete
DELETE FROM ocsp_answer WHERE certificate = (SELECT id FROM certificate WHERE serial = $2 AND authority = $1)

-- name: invariant_ocsp_answer
SELECT 'a status answer for a certificate that is not there: ' || o.certificate FROM ocsp_answer o
WHERE NOT EXISTS (SELECT 1 FROM certificate c WHERE c.id = o.certificate)

-- Who answers, stamps and publishes: with what stands in the room ca.
-- name: status_authorities
SELECT id, name, kind, certificate, key, ocsp_certificate, ocsp_key, base_url, crl_partitions, parent FROM authority ORDER BY id

-- name: status_authorities_mark
SELECT COUNT(*), CAST(COALESCE(MAX(id), 0) AS {int}), CAST(COALESCE(SUM(status), 0) AS {int}), CAST(COALESCE((SELECT value FROM store_sequence WHERE name = 'authorities'), 0) AS {int}) FROM authority

-- name: status_certificate
SELECT status, revoked_at, reason FROM certificate WHERE serial = $1 AND authority = $2

-- Certificates of authorities, which an authority above them issued.
-- name: status_authority_certificate
SELECT id FROM authority WHERE serial = $1 AND parent = $2
