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
