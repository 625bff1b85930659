-- The store's own book-keeping: which migrations were applied.

-- name: store_migration_list
SELECT number, name, digest, program FROM store_migration ORDER BY number

-- name: store_migration_insert
INSERT INTO store_migration (number, name, digest, program, at_utc) VALUES ($1, $2, $3, $4, $5)

-- name: store_migration_exists sqlite
SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'store_migration'

-- name: store_migration_exists postgresql
SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = 'store_migration'

-- Whether anything at all stands in it: a foreign database is never taken over.
-- name: store_table_any sqlite
SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' LIMIT 1

-- name: store_table_any postgresql
SELECT CAST(tablename AS TEXT) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() LIMIT 1

-- Named values that belong to the whole store: the instance's identity, numbers that only grow.
-- name: store_value_find
SELECT value FROM store_value WHERE name = $1

-- name: store_value_put
INSERT INTO store_value (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- The next number of a sequence, from 1; without gaps, since it is undone with the work that took it.
-- name: store_sequence_next
INSERT INTO store_sequence (name, value) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET value = store_sequence.value + 1 RETURNING value

-- It goes on behind this number.
-- name: store_sequence_pass
INSERT INTO store_sequence (name, value) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET value = CASE WHEN store_sequence.value < excluded.value THEN excluded.value ELSE store_sequence.value END

-- The last group of each writer that committed: how a commit whose answer was lost is found.
-- name: store_commit_put
INSERT INTO store_commit (writer, mark, at_utc) VALUES ($1, $2, $3)
ON CONFLICT (writer) DO UPDATE SET mark = excluded.mark, at_utc = excluded.at_utc

-- name: store_commit_find
SELECT mark FROM store_commit WHERE writer = $1

-- name: store_commit_forget
DELETE FROM store_commit WHERE at_utc < $1

-- What must never be (an_store_check): a row says what is wrong.
-- name: invariant_store_pages sqlite
SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'

-- name: invariant_store_pages postgresql
SELECT CAST(c.relname AS TEXT) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND NOT i.indisvalid

-- name: invariant_store_references sqlite
SELECT "table" || ' → ' || parent || ', row ' || COALESCE(rowid, 0) FROM pragma_foreign_key_check

-- name: invariant_store_references postgresql
SELECT CAST(c.conname AS TEXT) FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
WHERE n.nspname = current_schema() AND NOT c.convalidated

-- What a server may be set to that loses what was acknowledged when the power goes.
-- name: store_setting_unsafe sqlite
SELECT 'synchronous = ' || synchronous FROM pragma_synchronous WHERE synchronous < 2

-- name: store_setting_unsafe postgresql
SELECT CAST(name || ' = ' || setting AS TEXT) FROM pg_catalog.pg_settings
WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'
