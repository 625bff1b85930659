-- Statements of the room decision.

-- name: decision_matter_insert
INSERT INTO decision_matter (act, object, facts, needed, proposer, opened_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (act, object, facts) DO NOTHING

-- name: decision_matter_id
SELECT id, needed, proposer FROM decision_matter WHERE act = $1 AND object = $2 AND facts = $3

-- name: decision_matter_find
SELECT m.id, m.act, m.object, m.facts, m.needed, m.proposer, m.opened_at, (SELECT COUNT(*) FROM decision_vote v WHERE v.matter = m.id AND v.seat IS NOT NULL),
    (SELECT COUNT(*) FROM decision_vote v WHERE v.matter = m.id AND v.verdict = 'refuse'), (SELECT s.sealed_at FROM decision_seal s WHERE s.matter = m.id)
FROM decision_matter m WHERE m.id = $1

-- name: decision_vote_insert
INSERT INTO decision_vote (matter, person, role, verdict, seat, before_seat, needed, proposer, reason, at_utc, statement, signature, certificate, certificate_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- name: decision_vote_of
SELECT verdict, role, certificate_hash FROM decision_vote WHERE matter = $1 AND (person = $2 OR certificate_hash = $3)

-- name: decision_vote_list
SELECT person, role, verdict, reason, at_utc, statement, signature, certificate FROM decision_vote WHERE matter = $1 ORDER BY at_utc, person

-- name: decision_seal_insert
INSERT INTO decision_seal (matter, last_seat, sealed_at) VALUES ($1, $2, $3)

-- name: officer_insert
INSERT INTO officer (person, role, certificate, certificate_hash, since) VALUES ($1, $2, $3, $4, $5)

-- name: officer_end
UPDATE officer SET until = $2 WHERE person = $1 AND until IS NULL

-- name: officer_list
SELECT person, role, certificate, since FROM officer WHERE until IS NULL ORDER BY person

-- name: approval_rule_list
SELECT act, needed FROM approval_rule ORDER BY act

-- name: approval_rule_needed
SELECT needed FROM approval_rule WHERE act = $1

-- name: approval_rule_put
INSERT INTO approval_rule (act, needed, matter, since) VALUES ($1, $2, $3, $4)
ON CONFLICT (act) DO UPDATE SET needed = excluded.needed, matter = excluded.matter, since = excluded.since

-- What must never be: a certificate that was issued under a rule and rests on nothing.
-- name: invariant_approval
SELECT 'certificate ' || c.id || ' rests on no approval' FROM certificate c JOIN approval_rule r ON r.needed > 0
    AND r.act = CASE c.kind WHEN 'new' THEN 'certificate.issue' WHEN 'renewed' THEN 'certificate.renew' ELSE 'certificate.change' END
WHERE c.matter IS NULL AND c.issued_at > r.since AND c.profile NOT IN ('nhat-ky', 'dang-ky')
