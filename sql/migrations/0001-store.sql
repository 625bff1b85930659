CREATE TABLE store_migration (
    number {int} NOT NULL PRIMARY KEY,
    name {text} NOT NULL,
    digest {text} NOT NULL,  -- SHA-256 of its text: a migration that was changed after it was applied is found
    program {text} NOT NULL, -- the version that applied it
    at_utc {int} NOT NULL
) {table};
CREATE TABLE store_value (name {text} NOT NULL PRIMARY KEY, value {text} NOT NULL) {clustered};
CREATE TABLE store_sequence (name {text} NOT NULL PRIMARY KEY, value {int} NOT NULL) {clustered};
CREATE TABLE store_commit (writer {text} NOT NULL PRIMARY KEY, mark {int} NOT NULL, at_utc {int} NOT NULL) {clustered};

-- The audit log. Rows are only added; a trigger stands against everything else, and the hashes show what a trigger cannot hinder.
CREATE TABLE audit_event (
    seq {int} NOT NULL PRIMARY KEY, -- from 1, without gaps
    at_utc {int} NOT NULL,
    action {text} NOT NULL,
    actor {text} NOT NULL,
    role {text} NOT NULL,
    object {text} NOT NULL,
    outcome {text} NOT NULL,
    citation {text} NOT NULL,
    detail {text} NOT NULL,
    chain {blob} NOT NULL           -- SHA-256(02 || chain of seq-1 || leaf of seq)
) {table};
CREATE INDEX audit_event_object ON audit_event (object, seq);
-- What the next event is built on: one row.
CREATE TABLE audit_head (
    only_row {int} NOT NULL PRIMARY KEY CHECK (only_row = 1),
    size {int} NOT NULL,
    chain {blob} NOT NULL,
    frontier {blob} NOT NULL        -- hashes of the full subtrees of the Merkle tree, largest first (RFC 9162, 2.1)
) {table};
-- Hashes of full subtrees of 2^8, 2^16, 2^24 leaves: proofs read these and at most 2 × 255 leaves at either edge.
CREATE TABLE audit_node (
    level {int} NOT NULL,
    place {int} NOT NULL,
    hash {blob} NOT NULL,
    PRIMARY KEY (level, place)
) {clustered};
-- Signed (and time-stamped) heads.
CREATE TABLE audit_checkpoint (
    size {int} NOT NULL PRIMARY KEY,
    at_utc {int} NOT NULL,
    statement {blob} NOT NULL,      -- the bytes that are signed
    signature {blob} NOT NULL,      -- CMS SignedData, detached, with a signature time-stamp when a TSA is configured
    stamped {int} NOT NULL
) {table};
-- only: sqlite
CREATE TRIGGER audit_event_kept BEFORE UPDATE ON audit_event BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_event_stays BEFORE DELETE ON audit_event BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
-- only: postgresql
CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER audit_event_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event EXECUTE FUNCTION audit_event_refuse();
-- only: both
