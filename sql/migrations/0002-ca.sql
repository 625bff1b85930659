-- Decisions by persons. Quorum, no self-approval, no double role and no second vote are kept by keys and checks alone, so that
-- no program and no hand can get round them.
CREATE TABLE decision_matter (
    id {id},
    act {text} NOT NULL,
    object {text} NOT NULL,
    facts {blob} NOT NULL,                  -- SHA-256 of what lies before the persons
    needed {int} NOT NULL CHECK (needed BETWEEN 1 AND 16),
    proposer {text} NOT NULL,               -- who asks for it: never one of those who approve
    opened_at {int} NOT NULL,
    UNIQUE (act, object, facts),
    UNIQUE (id, needed),
    UNIQUE (id, proposer)
) {table};

CREATE TABLE decision_vote (
    matter {int} NOT NULL,
    person {text} NOT NULL,
    role {text} NOT NULL,
    verdict {text} NOT NULL CHECK (verdict IN ('approve', 'refuse')),
    seat {int},                             -- approvals stand on seats 1, 2 … one after the other
    before_seat {int},
    needed {int} NOT NULL,
    proposer {text} NOT NULL,
    reason {text} NOT NULL,
    at_utc {int} NOT NULL,
    statement {blob} NOT NULL,              -- the bytes that were signed
    signature {blob} NOT NULL,              -- detached CMS, by the person's own token
    certificate {blob} NOT NULL,            -- of the person, DER
    certificate_hash {blob} NOT NULL,
    PRIMARY KEY (matter, person),           -- one vote, in one role
    UNIQUE (matter, certificate_hash),      -- one token, one person
    UNIQUE (matter, seat),
    FOREIGN KEY (matter, needed) REFERENCES decision_matter (id, needed),
    FOREIGN KEY (matter, proposer) REFERENCES decision_matter (id, proposer),
    FOREIGN KEY (matter, before_seat) REFERENCES decision_vote (matter, seat),
    CHECK (person <> proposer),
    CHECK ((verdict = 'approve') = (seat IS NOT NULL)),
    CHECK (seat IS NULL OR (seat BETWEEN 1 AND needed)),
    CHECK (seat IS NULL OR (seat = 1 AND before_seat IS NULL) OR (seat > 1 AND before_seat IS NOT NULL AND before_seat = seat - 1))
) {table};

-- A matter is decided when the last seat is taken: this row cannot stand before.
CREATE TABLE decision_seal (
    matter {int} NOT NULL PRIMARY KEY,
    last_seat {int} NOT NULL,
    sealed_at {int} NOT NULL,
    FOREIGN KEY (matter, last_seat) REFERENCES decision_matter (id, needed),
    FOREIGN KEY (matter, last_seat) REFERENCES decision_vote (matter, seat)
) {table};

-- Officers of the authority: one person, one role, one certificate at a time.
CREATE TABLE officer (
    id {id},
    person {text} NOT NULL,
    role {text} NOT NULL,
    certificate {blob} NOT NULL,
    certificate_hash {blob} NOT NULL,
    since {int} NOT NULL,
    until {int},
    CHECK (until IS NULL OR until >= since)
) {table};
CREATE UNIQUE INDEX officer_person ON officer (person) WHERE until IS NULL;
CREATE UNIQUE INDEX officer_certificate ON officer (certificate_hash) WHERE until IS NULL;

-- Who certifies: roots, issuing authorities, time-stamping authorities. A new key is a new row of the same line.
CREATE TABLE authority (
    id {id},
    name {text} NOT NULL UNIQUE,            -- of its files: NAME.crt, NAME.crl
    line {text} NOT NULL,                   -- what stays when the key rolls over
    kind {text} NOT NULL CHECK (kind IN ('root', 'issuing', 'tsa')),
    hierarchy {text} NOT NULL CHECK (hierarchy IN ('root', 'state', 'party')),
    profile {text} NOT NULL,
    parent {int} REFERENCES authority (id),
    certificate {blob} NOT NULL,
    serial {blob} NOT NULL,
    key {text} NOT NULL,                    -- its name in the list of keys; '' = kept offline
    ocsp_certificate {blob},
    ocsp_key {text},
    base_url {text} NOT NULL,
    crl_partitions {int} NOT NULL CHECK (crl_partitions >= 0),
    not_before {int} NOT NULL,
    not_after {int} NOT NULL,
    status {int} NOT NULL CHECK (status IN (0, 1)), -- 0 active, 1 retired: still answers, issues no more
    created_at {int} NOT NULL
) {table};
CREATE UNIQUE INDEX authority_line ON authority (line) WHERE status = 0;

CREATE TABLE certificate (
    id {id},
    authority {int} NOT NULL REFERENCES authority (id),
    serial {blob} NOT NULL,                 -- INTEGER content, 20 octets
    partition {int} NOT NULL,
    der {blob} NOT NULL,
    profile {text} NOT NULL,
    subject {text} NOT NULL,
    subject_folded {text} NOT NULL,         -- common name, then the whole name; for search without accents
    agency_folded {text} NOT NULL,
    email_folded {text} NOT NULL,
    not_before {int} NOT NULL,
    not_after {int} NOT NULL,
    subscriber {text} NOT NULL,
    device {text} NOT NULL,
    status {int} NOT NULL CHECK (status BETWEEN 0 AND 3), -- 0 good, 1 revoked, 2 on hold, 3 expired
    revoked_at {int},
    reason {int},
    ground {text} NOT NULL,
    request_key {text} NOT NULL UNIQUE,     -- the same request twice is one certificate
    request_digest {blob} NOT NULL,         -- of what was asked: the same key for another request is refused
    predecessor {int} REFERENCES certificate (id),
    kind {text} NOT NULL CHECK (kind IN ('new', 'renewed', 'changed')),
    renewals {int} NOT NULL CHECK (renewals >= 0),
    matter {int} REFERENCES decision_seal (matter), -- no certificate rests on a matter that is not decided
    issued_at {int} NOT NULL,
    CHECK ((status = 1) = (revoked_at IS NOT NULL) OR status = 2),
    CHECK ((kind = 'new') = (predecessor IS NULL)),
    UNIQUE (serial, authority)              -- found by its number alone too
) {table};
CREATE INDEX certificate_subject ON certificate (subject_folded, id);
CREATE INDEX certificate_agency ON certificate (agency_folded, id);
CREATE INDEX certificate_email ON certificate (email_folded, id) WHERE email_folded <> '';
CREATE INDEX certificate_subscriber ON certificate (subscriber, id) WHERE subscriber <> '';
CREATE UNIQUE INDEX certificate_renewed ON certificate (predecessor) WHERE predecessor IS NOT NULL; -- once only
-- The next to expire: rows that are still open, in the order of their end.
CREATE INDEX certificate_end ON certificate (not_after) WHERE status IN (0, 2);

-- What was done with a certificate, under which key: the same act twice is one.
CREATE TABLE certificate_act (
    request_key {text} NOT NULL PRIMARY KEY,
    certificate {int} NOT NULL REFERENCES certificate (id),
    act {text} NOT NULL,
    ground {text} NOT NULL,
    at_utc {int} NOT NULL,
    matter {int} REFERENCES decision_seal (matter)
) {table};
CREATE INDEX certificate_act_of ON certificate_act (certificate);
