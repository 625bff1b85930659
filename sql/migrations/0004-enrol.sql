-- Enrolment by protocol (CMP, EST): what stands approved for a machine to fetch, the exchanges of messages that run, and the
-- trust list's numbers. No secret stands here: the secret of a reference is made of its salt and a key that the instance holds
-- beside the store.
CREATE TABLE enrol_approval (
    id {id},
    reference {text} NOT NULL UNIQUE,        -- handed out with the secret
    salt {blob} NOT NULL,
    item {text} NOT NULL UNIQUE,             -- what was approved: "request:12/item:3"; the idempotency key of the issuance
    profile {text} NOT NULL,
    authority {text} NOT NULL,               -- which issues; '' = the only one
    subject {text} NOT NULL,                 -- as `antin ca issue --subject` takes it
    email {text} NOT NULL,                   -- "" = none
    subscriber {text} NOT NULL,              -- number in the register; "" = none
    agency {text} NOT NULL,                  -- number in the register; "" = none
    months {int} NOT NULL,                   -- of validity; 0 = usual for the profile
    state {int} NOT NULL CHECK (state BETWEEN 0 AND 3), -- 0 waiting, 1 open, 2 used, 3 withdrawn
    created_at {int} NOT NULL,
    created_by {text} NOT NULL,
    opened_at {int}, opened_by {text},
    expires_at {int} NOT NULL,
    key_digest {blob},                       -- SHA-256 of the key that used it: the same key may come again, another may not
    used_at {int},
    serial {blob},                           -- of the certificate
    failures {int} NOT NULL,                 -- wrong codes since it was opened
    CHECK (state <> 2 OR key_digest IS NOT NULL)
) {table};
CREATE INDEX enrol_approval_state ON enrol_approval (state, id);

CREATE TABLE enrol_transaction (
    transaction_key {blob} NOT NULL PRIMARY KEY, -- SHA-256 of who speaks and the transactionID
    state {int} NOT NULL CHECK (state BETWEEN 0 AND 3),
    body {int} NOT NULL,
    request_id {int} NOT NULL,
    server_nonce {blob} NOT NULL,
    implicit {int} NOT NULL,
    request {blob} NOT NULL,
    certificate {blob} NOT NULL,
    party {text} NOT NULL,
    at_utc {int} NOT NULL
) {clustered};
CREATE INDEX enrol_transaction_at ON enrol_transaction (at_utc);

CREATE TABLE trust_list (
    sequence {int} NOT NULL PRIMARY KEY,     -- from 1, without gaps
    digest {blob} NOT NULL,                  -- SHA-256 over the certificates in it: the same set keeps its number until it is due
    content {blob} NOT NULL,                 -- gca.ctl
    signature {blob} NOT NULL,               -- gca.ctl.p7s
    this_update {int} NOT NULL,
    next_update {int} NOT NULL
) {table};
