-- Statements of the room audit.

-- name: audit_head_find
SELECT size, chain, frontier FROM audit_head WHERE only_row = 1

-- name: audit_head_put
INSERT INTO audit_head (only_row, size, chain, frontier) VALUES (1, $1, $2, $3)
ON CONFLICT (only_row) DO UPDATE SET size = excluded.size, chain = excluded.chain, frontier = excluded.frontier

-- name: audit_event_insert
INSERT INTO audit_event (seq, at_utc, action, actor, role, object, outcome, citation, detail, chain)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: audit_node_insert
INSERT INTO audit_node (level, place, hash) VALUES ($1, $2, $3)

-- name: audit_event_range
SELECT seq, at_utc, action, actor, role, object, outcome, citation, detail, chain FROM audit_event WHERE seq > $1 AND seq <= $2 ORDER BY seq

-- What somebody looks for; "" = anything. An action may be named by its beginning, "certificate.".
-- name: audit_event_search
SELECT seq, at_utc, action, actor, role, object, outcome, citation, detail, chain FROM audit_event
WHERE seq > $1 AND at_utc >= $2 AND at_utc < $3 AND ($4 = '' OR object = $4) AND ($5 = '' OR actor = $5)
AND ($6 = '' OR substr(action, 1, length($6)) = $6) ORDER BY seq LIMIT $7

-- name: audit_event_chain
SELECT chain FROM audit_event WHERE seq = $1

-- name: audit_event_last
SELECT COALESCE(MAX(seq), 0) FROM audit_event

-- name: audit_node_range
SELECT place, hash FROM audit_node WHERE level = $1 AND place >= $2 AND place < $3 ORDER BY place

-- name: audit_checkpoint_insert
INSERT INTO audit_checkpoint (size, at_utc, statement, signature, stamped) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (size) DO NOTHING

-- name: audit_checkpoint_list
SELECT size, at_utc, statement, signature, stamped FROM audit_checkpoint ORDER BY size

-- name: audit_checkpoint_last
SELECT size, at_utc FROM audit_checkpoint ORDER BY size DESC LIMIT 1

-- name: invariant_audit_head
SELECT 'the log ends elsewhere than its head says' FROM (SELECT COALESCE(MAX(seq), 0) AS last, COUNT(*) AS rows FROM audit_event) e
LEFT JOIN audit_head h ON h.only_row = 1 WHERE e.last <> COALESCE(h.size, 0) OR e.rows <> e.last
