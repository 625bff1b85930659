-- Requests for certification (NĐ 68/2024 Điều 4, 11): the dossier, its items, which are decided one by one, what was done for
-- each, everything that happened to it; and what people are told, with the letters that carry it.
CREATE TABLE request (
    id {id},
    request_key {text} NOT NULL UNIQUE,      -- the same filing twice is one dossier
    kind {int} NOT NULL CHECK (kind BETWEEN 1 AND 5),
    regulation {text} NOT NULL,
    agency {text} NOT NULL,                  -- who files: the directly managing agency
    addressee {text} NOT NULL,               -- role of who decides: cuc, so-khcn, nguoi-quan-ly-thue-bao
    subject_kind {text} NOT NULL,
    device_kind {text} NOT NULL,
    form {text} NOT NULL,
    form_citation {text} NOT NULL,
    number {text} NOT NULL,                  -- number and symbol of the letter
    state {int} NOT NULL,
    round {int} NOT NULL,                    -- from 1; a supplement begins the next
    urgent {int} NOT NULL,
    content {text} NOT NULL,                 -- canonical: what the form shows
    digest {blob} NOT NULL,                  -- SHA-256 of content; stands in the signed form
    document {blob},                         -- SHA-256 of the signed form
    reason {text} NOT NULL,                  -- of a supplement or a refusal
    created_at {int} NOT NULL,
    created_by {text} NOT NULL,
    signed_at {int}, signed_by {text},
    sent_at {int},
    received_at {int},                       -- of the latest round
    valid_at {int},                          -- receipt of the round that was found valid: the clock starts here
    due_at {int},                            -- first moment that is late
    escalated_at {int},
    closed_at {int}
) {table};
CREATE INDEX request_of_agency ON request (agency, id);
CREATE INDEX request_of_addressee ON request (addressee, state, id);
CREATE INDEX request_by_state ON request (state, id);
CREATE INDEX request_due ON request (due_at) WHERE closed_at IS NULL AND due_at IS NOT NULL;

CREATE TABLE request_item (
    request {int} NOT NULL,
    place {int} NOT NULL,                    -- from 1
    state {int} NOT NULL,                    -- 0 open, 1 approved, 2 refused, 3 done
    subject {text} NOT NULL,                 -- number of the subscriber
    name {text} NOT NULL,
    folded {text} NOT NULL,                  -- name for search
    email {text} NOT NULL,
    certificate {text} NOT NULL,             -- serial in hex, "" = none
    device {text} NOT NULL,                  -- number of the device, "" = none yet
    ground {text} NOT NULL,                  -- of a revocation
    facts {blob} NOT NULL,                   -- SHA-256 of what lies before who decides
    matter {int},                            -- decision_matter of its decision
    decided_at {int}, decided_by {text},
    reason {text} NOT NULL,
    result {text} NOT NULL,                  -- serial of the new certificate; "" = none
    PRIMARY KEY (request, place)
) {clustered};
CREATE INDEX request_item_subject ON request_item (subject, request);
CREATE INDEX request_item_certificate ON request_item (certificate, request);
CREATE INDEX request_item_folded ON request_item (folded, request);

-- One open request for one thing at a time: the key says what it is about.
CREATE TABLE request_open (
    open_key {text} NOT NULL PRIMARY KEY,
    request {int} NOT NULL,
    place {int} NOT NULL
) {clustered};
CREATE INDEX request_open_request ON request_open (request);

-- What is being done for an approved item: written before anything is done, so that who comes after a crash knows how far it is.
CREATE TABLE request_execution (
    request {int} NOT NULL,
    place {int} NOT NULL,
    step {int} NOT NULL,
    owner {text} NOT NULL,                   -- "" = nobody; who died leaves his name
    owner_until {int} NOT NULL,
    device {text} NOT NULL,
    attempts {int} NOT NULL,
    error {text} NOT NULL,
    started_at {int} NOT NULL,
    finished_at {int},
    PRIMARY KEY (request, place)
) {clustered};
CREATE INDEX request_execution_open ON request_execution (request, place) WHERE finished_at IS NULL;

CREATE TABLE request_event (
    request {int} NOT NULL,
    seq {int} NOT NULL,                      -- from 1
    at_utc {int} NOT NULL,
    act {text} NOT NULL,
    actor {text} NOT NULL,
    role {text} NOT NULL,
    from_state {int} NOT NULL,
    to_state {int} NOT NULL,
    citation {text} NOT NULL,
    detail {text} NOT NULL,
    PRIMARY KEY (request, seq)
) {clustered};

-- What somebody is told, once: the key says what about.
CREATE TABLE notice (
    id {id},
    notice_key {text} NOT NULL UNIQUE,
    kind {text} NOT NULL,
    about {text} NOT NULL,                   -- "request:12", "certificate:0A1B…"
    to_role {text} NOT NULL,
    to_name {text} NOT NULL,
    address {text} NOT NULL,                 -- "" = none known: to be told by hand
    subject {text} NOT NULL,
    body {text} NOT NULL,
    citation {text} NOT NULL,
    document {blob},                         -- SHA-256 of a signed letter that goes with it
    created_at {int} NOT NULL
) {table};
CREATE INDEX notice_about ON notice (about, id);

-- Letters: a row stays until the mail server took it, or a person set it aside.
CREATE TABLE outbox (
    id {id},
    notice {int} NOT NULL UNIQUE,
    message_id {text} NOT NULL UNIQUE,       -- the same at every try: who gets it twice can tell
    state {int} NOT NULL,                    -- 0 waiting, 1 sent, 2 refused by the server, 3 set aside
    tries {int} NOT NULL,
    next_at {int} NOT NULL,
    owner {text} NOT NULL,
    owner_until {int} NOT NULL,
    sent_at {int},
    error {text} NOT NULL
) {table};
CREATE INDEX outbox_waiting ON outbox (next_at, id) WHERE state = 0;

-- Up to which moment the daily works have looked.
CREATE TABLE notice_job (
    name {text} NOT NULL PRIMARY KEY,
    done_until {int} NOT NULL,
    at_utc {int} NOT NULL
) {clustered};

-- What ends within some days: for reminders.
CREATE INDEX person_retires ON person (retires) WHERE retires IS NOT NULL;
CREATE INDEX post_ends ON post (until) WHERE until IS NOT NULL;
