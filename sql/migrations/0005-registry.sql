-- Agencies: a tree. Moments are seconds UTC; a period runs from `since` up to, not including, `until` (NULL = open).
CREATE TABLE agency (
    id {id},
    code {text} UNIQUE,               -- identifier of QĐ 20/2020 in force; NULL: none. All it ever had: agency_code
    name {text} NOT NULL CHECK (name <> ''),
    name_folded {text} NOT NULL,      -- for search: lower case, no diacritics
    superior {int} REFERENCES agency (id),
    hierarchy {text} NOT NULL CHECK (hierarchy IN ('state', 'party')),
    address {text} NOT NULL,
    province {text} NOT NULL,
    tax_code {text} NOT NULL,
    budget_code {text} NOT NULL,
    email {text} NOT NULL,
    email_domain {text} NOT NULL,     -- official domain of its people's addresses, beside those that are official everywhere
    regulation {text} NOT NULL,       -- which regulation binds it; '' = the one of its superior, in the end the instance's
    seal_um {int} NOT NULL CHECK (seal_um = 0 OR (seal_um >= 10000 AND seal_um <= 60000)), -- diameter in micrometres
    seal_document {text} NOT NULL,    -- registration of the seal
    seal_image {blob},                -- SHA-256 of its picture
    state {text} NOT NULL CHECK (state IN ('active', 'merged', 'dissolved')),
    since {int},
    until {int},
    successor {int} REFERENCES agency (id),
    CHECK (superior <> id),
    CHECK (successor <> id),
    CHECK ((state = 'active') = (until IS NULL)),
    CHECK (state <> 'merged' OR successor IS NOT NULL)
) {table};
CREATE INDEX agency_name ON agency (name_folded, id);
CREATE INDEX agency_superior ON agency (superior, name_folded, id);

-- Every identifier an agency ever had (QĐ 20/2020 Điều 4; QĐ 09/2025 Điều 2: codes are closed and have successors).
CREATE TABLE agency_code (
    code {text} NOT NULL PRIMARY KEY,
    agency {int} NOT NULL REFERENCES agency (id),
    state {text} NOT NULL CHECK (state IN ('active', 'closed')),
    since {int},
    until {int},
    successor {text},
    basis {text} NOT NULL,            -- the document behind it
    CHECK ((state = 'active') = (until IS NULL))
) {table};
CREATE INDEX agency_code_agency ON agency_code (agency);

-- People. `number` is their handle in the register and in the audit log; `identity` (số định danh cá nhân) is personal data.
CREATE TABLE person (
    id {id},
    number {text} NOT NULL UNIQUE,
    name {text} NOT NULL CHECK (name <> ''),
    name_folded {text} NOT NULL,      -- "nguyen thi uong"
    name_key {text} NOT NULL,         -- given name first: "uong nguyen thi"
    born {int},
    identity {text} UNIQUE,
    identity_issued {int},
    identity_place {text} NOT NULL,
    email {text} NOT NULL,
    phone {text} NOT NULL,
    agency {int} NOT NULL REFERENCES agency (id),
    state {text} NOT NULL CHECK (state IN ('active', 'retired', 'left', 'deceased')),
    since {int},
    until {int},
    retires {int},                    -- expected; reminders are made of it
    CHECK ((state = 'active') = (until IS NULL))
) {table};
CREATE UNIQUE INDEX person_email ON person (email) WHERE email <> '';
CREATE INDEX person_name ON person (name_folded, id);
CREATE INDEX person_name_key ON person (name_key, id);
CREATE INDEX person_agency ON person (agency, name_folded, id);

-- Posts over time, with the authority in which the holder signs (TM., KT., TL., TUQ., Q.).
CREATE TABLE post (
    id {id},
    person {int} NOT NULL REFERENCES person (id),
    agency {int} NOT NULL REFERENCES agency (id),
    title {text} NOT NULL CHECK (title <> ''),
    authority {text} NOT NULL CHECK (authority IN ('', 'TM', 'KT', 'TL', 'TUQ', 'Q')),
    is_head {int} NOT NULL CHECK (is_head IN (0, 1)),
    document {text} NOT NULL,
    since {int} NOT NULL,
    until {int},
    CHECK (until IS NULL OR until > since)
) {table};
CREATE INDEX post_person ON post (person, since);
CREATE INDEX post_agency ON post (agency, is_head, since);

-- Roles: by post, or by written delegation with its document.
CREATE TABLE duty (
    id {id},
    person {int} NOT NULL REFERENCES person (id),
    agency {int} NOT NULL REFERENCES agency (id),
    role {text} NOT NULL CHECK (role <> ''),
    basis {text} NOT NULL CHECK (basis IN ('post', 'delegation')),
    document {text} NOT NULL,
    since {int} NOT NULL,
    until {int},
    CHECK (until IS NULL OR until > since),
    CHECK (basis = 'post' OR document <> '')
) {table};
CREATE INDEX duty_person ON duty (person, role, agency);
CREATE INDEX duty_role ON duty (agency, role);

-- Subscribers of four kinds. A second device of an agency (one-stop department) is labelled and managed like a second seal.
CREATE TABLE subscriber (
    id {id},
    number {text} NOT NULL UNIQUE,
    kind {text} NOT NULL CHECK (kind IN ('person', 'agency', 'agency-second', 'device-service-software')),
    agency {int} NOT NULL REFERENCES agency (id),
    person {int} REFERENCES person (id),
    name {text} NOT NULL CHECK (name <> ''),
    name_folded {text} NOT NULL,
    name_key {text} NOT NULL,
    label {text} NOT NULL,            -- of a second device: where it is used; of a service: what it is
    email {text} NOT NULL,
    manager {int} REFERENCES person (id), -- who keeps the device of an agency or service
    state {text} NOT NULL CHECK (state IN ('active', 'ended')),
    since {int} NOT NULL,
    until {int},
    CHECK ((kind = 'person') = (person IS NOT NULL)),
    CHECK (kind NOT IN ('agency-second', 'device-service-software') OR label <> ''),
    CHECK ((state = 'active') = (until IS NULL))
) {table};
CREATE UNIQUE INDEX subscriber_person ON subscriber (person) WHERE state = 'active' AND kind = 'person';
CREATE UNIQUE INDEX subscriber_agency_one ON subscriber (agency) WHERE state = 'active' AND kind = 'agency';
CREATE UNIQUE INDEX subscriber_label ON subscriber (agency, kind, label) WHERE state = 'active' AND kind IN ('agency-second', 'device-service-software');
CREATE INDEX subscriber_name ON subscriber (name_folded, id);
CREATE INDEX subscriber_name_key ON subscriber (name_key, id);
CREATE INDEX subscriber_agency ON subscriber (agency, name_folded, id);
CREATE INDEX subscriber_person_all ON subscriber (person);

-- Devices. The pair of states of each change must be in device_transition; each change continues the one before.
CREATE TABLE device_transition (state_from {text} NOT NULL, state_to {text} NOT NULL, PRIMARY KEY (state_from, state_to)) {clustered};
INSERT INTO device_transition (state_from, state_to) VALUES
    ('', 'chua-dung'),
    ('chua-dung', 'dang-dung'), ('chua-dung', 'hong'), ('chua-dung', 'that-lac'), ('chua-dung', 'da-thu-hoi'),
    ('dang-dung', 'bi-khoa'), ('dang-dung', 'hong'), ('dang-dung', 'that-lac'), ('dang-dung', 'da-thu-hoi'),
    ('bi-khoa', 'dang-dung'), ('bi-khoa', 'hong'), ('bi-khoa', 'that-lac'), ('bi-khoa', 'da-thu-hoi'),
    ('hong', 'da-thu-hoi'), ('that-lac', 'da-thu-hoi'), ('da-thu-hoi', 'chua-dung');
CREATE TABLE device (
    id {id},
    kind {text} NOT NULL CHECK (kind IN ('pki-token', 'sim-pki', 'hsm')),
    number {text} NOT NULL UNIQUE CHECK (number <> ''),
    model {text} NOT NULL,
    uri {text} NOT NULL,              -- of its token, when it is at hand (PKCS#11); never a PIN
    carrier {text} NOT NULL,
    phone {text} NOT NULL,
    account {text} NOT NULL,
    subscriber {int} REFERENCES subscriber (id),
    state {text} NOT NULL,
    event {int} NOT NULL,             -- number of its last change of state
    link {int} NOT NULL,              -- number of its last link of custody; 0 = none
    holder_kind {text} NOT NULL,
    holder {int} NOT NULL,
    place {text} NOT NULL,
    note {text} NOT NULL,
    CHECK (kind <> 'sim-pki' OR (carrier <> '' AND phone <> '')),
    CHECK (kind <> 'hsm' OR account <> '')
) {table};
CREATE INDEX device_holder ON device (holder_kind, holder, number);
CREATE INDEX device_subscriber ON device (subscriber);
CREATE INDEX device_state ON device (state, number);
CREATE TABLE device_event (
    device {int} NOT NULL REFERENCES device (id),
    seq {int} NOT NULL,
    seq_before {int},
    state_from {text} NOT NULL,
    state_to {text} NOT NULL,
    at {int} NOT NULL,
    actor {text} NOT NULL,
    reason {text} NOT NULL,
    PRIMARY KEY (device, seq),
    UNIQUE (device, seq, state_to),
    CHECK ((seq = 1 AND seq_before IS NULL AND state_from = '') OR (seq_before IS NOT NULL AND seq_before = seq - 1)),
    FOREIGN KEY (state_from, state_to) REFERENCES device_transition (state_from, state_to),
    FOREIGN KEY (device, seq_before, state_from) REFERENCES device_event (device, seq, state_to)
) {clustered};

-- Certificates of a subscriber, on a device; the certificate itself is the authority's (ca).
CREATE TABLE subscriber_certificate (
    serial {text} NOT NULL PRIMARY KEY, -- lower-case hexadecimal of the INTEGER's content
    subscriber {int} NOT NULL REFERENCES subscriber (id),
    device {int} REFERENCES device (id),
    object_id {text} NOT NULL,        -- CKA_ID on the device, hexadecimal
    since {int} NOT NULL
) {clustered};
CREATE INDEX subscriber_certificate_subscriber ON subscriber_certificate (subscriber, since);
CREATE INDEX subscriber_certificate_device ON subscriber_certificate (device, since);

-- Records of hand-over, return, loss (NĐ 68/2024 Mẫu 07, 08, 09; TT 185/2019 Mẫu 14, 15; Bình Thuận Mẫu 03).
CREATE TABLE device_record (
    id {id},
    number {text} NOT NULL UNIQUE,
    form {text} NOT NULL,             -- citation of the form
    medium {text} NOT NULL CHECK (medium IN ('electronic', 'paper')),
    state {text} NOT NULL CHECK (state IN ('draft', 'half-signed', 'signed', 'void')),
    at {int} NOT NULL,
    place {text} NOT NULL,
    giver_kind {text} NOT NULL,
    giver {int} NOT NULL,
    taker_kind {text} NOT NULL,
    taker {int} NOT NULL,
    giver_signer {int} REFERENCES person (id), -- who signs for each side
    taker_signer {int} REFERENCES person (id),
    giver_signed {int},
    taker_signed {int},
    way {text} NOT NULL,
    reason {text} NOT NULL,
    step {text} NOT NULL,             -- the act of regulation/ it stands for: "device.handover" …
    pdf {blob},
    sha256 {blob},
    made_by {text} NOT NULL,
    UNIQUE (id, state),
    CHECK (medium = 'paper' OR pdf IS NOT NULL),
    CHECK (medium = 'paper' OR state <> 'signed' OR (giver_signed IS NOT NULL AND taker_signed IS NOT NULL))
) {table};
CREATE INDEX device_record_state ON device_record (state, id);
CREATE TABLE device_record_item (
    record {int} NOT NULL REFERENCES device_record (id),
    device {int} NOT NULL REFERENCES device (id),
    PRIMARY KEY (record, device)
) {clustered};
CREATE INDEX device_record_item_device ON device_record_item (device);

-- Custody: who may hand a device to whom, and the unbroken chain of each device. The giver of a link is the taker of the one
-- before, or the database refuses it; each link stands on a signed record.
CREATE TABLE custody_step (giver_kind {text} NOT NULL, taker_kind {text} NOT NULL, PRIMARY KEY (giver_kind, taker_kind)) {clustered};
INSERT INTO custody_step (giver_kind, taker_kind) VALUES
    ('cuc', 'co-yeu'), ('cuc', 'buu-chinh'), ('cuc', 'agency'),
    ('co-yeu', 'agency'), ('buu-chinh', 'agency'), ('co-yeu', 'co-yeu'),
    ('agency', 'person'), ('person', 'person'), ('person', 'agency'), ('agency', 'agency'),
    ('agency', 'co-yeu'), ('agency', 'buu-chinh'), ('agency', 'cuc'), ('co-yeu', 'cuc'), ('buu-chinh', 'cuc');
CREATE TABLE custody (
    device {int} NOT NULL REFERENCES device (id),
    seq {int} NOT NULL,
    seq_before {int},
    giver_kind {text} NOT NULL,
    giver {int} NOT NULL,             -- agency.id, person.id; 0 = cuc, buu-chinh
    taker_kind {text} NOT NULL,
    taker {int} NOT NULL,
    at {int} NOT NULL,
    way {text} NOT NULL,              -- truc-tiep, co-yeu, buu-chinh
    record {int} NOT NULL,
    record_state {text} NOT NULL CHECK (record_state = 'signed'),
    PRIMARY KEY (device, seq),
    UNIQUE (device, seq, taker_kind, taker),
    CHECK ((seq = 1 AND seq_before IS NULL AND giver_kind = 'cuc') OR (seq_before IS NOT NULL AND seq_before = seq - 1)),
    CHECK (giver_kind <> taker_kind OR giver <> taker),
    FOREIGN KEY (giver_kind, taker_kind) REFERENCES custody_step (giver_kind, taker_kind),
    FOREIGN KEY (device, seq_before, giver_kind, giver) REFERENCES custody (device, seq, taker_kind, taker),
    FOREIGN KEY (record, record_state) REFERENCES device_record (id, state)
) {clustered};

-- Mergers of agencies and transfers of people: planned, done, undone; what each row was before.
CREATE TABLE reorganisation (
    id {id},
    kind {text} NOT NULL CHECK (kind IN ('merge', 'transfer')),
    agency {int} NOT NULL REFERENCES agency (id), -- the successor, or where to
    document {text} NOT NULL CHECK (document <> ''),
    effective {int} NOT NULL,
    state {text} NOT NULL CHECK (state IN ('done', 'undone')),
    done_at {int} NOT NULL,
    done_by {text} NOT NULL,
    undone_at {int},
    undone_by {text} NOT NULL
) {table};
CREATE TABLE reorganisation_item (
    reorganisation {int} NOT NULL REFERENCES reorganisation (id),
    seq {int} NOT NULL,
    kind {text} NOT NULL,             -- agency, code, person, post-ended, post-begun, duty-ended, subscriber
    object {int} NOT NULL,
    value_before {int},               -- agency, superior or end of a period, as it was; NULL = none
    PRIMARY KEY (reorganisation, seq)
) {clustered};

-- Imports: how far a file was read, so that an interrupted one goes on where it stopped.
CREATE TABLE import_job (
    digest {text} NOT NULL PRIMARY KEY, -- SHA-256 of the file and what it is imported as
    kind {text} NOT NULL,
    rows_done {int} NOT NULL,         -- the last line that is in
    added {int} NOT NULL,
    refused {int} NOT NULL,
    state {text} NOT NULL CHECK (state IN ('running', 'done')),
    at {int} NOT NULL
) {clustered};
