-- What became of certificates, in the order in which it became known. CRLs and OCSP answers are both made of this.
CREATE TABLE revocation (
    sequence {id},
    authority {int} NOT NULL,
    partition {int} NOT NULL,       -- of the list by distribution point; 0 = none
    serial {blob} NOT NULL,
    kind {int} NOT NULL,            -- 0 revoked, 1 on hold, 2 released
    is_current {int} NOT NULL,      -- 0 when a later row speaks of the same certificate
    at_utc {int} NOT NULL,
    entry {blob} NOT NULL           -- the list's entry, DER: a list is these bytes one after the other
) {table};
CREATE UNIQUE INDEX revocation_current ON revocation (authority, serial) WHERE is_current = 1;
CREATE INDEX revocation_order ON revocation (authority, sequence);

-- Entries of many rows as one piece of the list, so that a list of millions is read in thousands of steps.
CREATE TABLE crl_block (
    authority {int} NOT NULL,
    partition {int} NOT NULL,
    first_sequence {int} NOT NULL,
    last_sequence {int} NOT NULL,
    entry_count {int} NOT NULL,
    size {int} NOT NULL,
    is_stale {int} NOT NULL,        -- a row in it is current no more: made again before it is used
    content {blob} NOT NULL,
    PRIMARY KEY (authority, partition, first_sequence)
) {table};
-- Up to where rows stand in blocks.
CREATE TABLE crl_fold (authority {int} NOT NULL PRIMARY KEY, sequence {int} NOT NULL) {table};

-- Lists that were published.
CREATE TABLE crl_issued (
    authority {int} NOT NULL,
    number {int} NOT NULL,
    partition {int} NOT NULL,
    base_number {int} NOT NULL,     -- of a delta list; 0 = a full list
    sequence {int} NOT NULL,        -- of the last row that is in it
    this_update {int} NOT NULL,
    next_update {int} NOT NULL,
    entry_count {int} NOT NULL,
    size {int} NOT NULL,
    PRIMARY KEY (authority, number)
) {table};

-- Answers signed beforehand, with the certificate in one commit. A change of status removes them in its own.
CREATE TABLE ocsp_answer (
    authority {int} NOT NULL,
    serial {blob} NOT NULL,
    next_update {int} NOT NULL,
    answer {blob} NOT NULL,
    PRIMARY KEY (authority, serial)
) {table};
