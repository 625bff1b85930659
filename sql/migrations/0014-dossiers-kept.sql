-- What a dossier asks for stands from the moment it is sent, what was decided about an item and what was done for it from then on; a
-- signed record of custody stays as it was signed, and a link of custody rests on the record of this very hand-over. Until now the
-- program alone said so (decision 176); the role that serves could turn an approved revocation to another certificate.
-- The moves of a dossier (src/request/state.c; 1 draft … 14 withdrawn).
CREATE TABLE request_transition (state_from {int} NOT NULL, state_to {int} NOT NULL, PRIMARY KEY (state_from, state_to)) {clustered};
INSERT INTO request_transition (state_from, state_to) VALUES
    (1, 2), (1, 14), (2, 1), (2, 3), (2, 4), (2, 14), (3, 4), (3, 6), (3, 7), (3, 14),
    (4, 5), (4, 6), (4, 14), (5, 6), (5, 7), (5, 8), (5, 14), (6, 1), (6, 14), (8, 7),
    (8, 9), (9, 10), (10, 11), (10, 12), (12, 13);
-- only: sqlite
CREATE TRIGGER request_fixed BEFORE UPDATE OF id, request_key, kind, regulation, agency, subject_kind, device_kind, form, form_citation,
    created_at, created_by ON request
    BEGIN SELECT RAISE(ABORT, 'this of request never changes'); END;
CREATE TRIGGER request_item_fixed BEFORE UPDATE OF request, place, subject, name, folded, email, certificate, ground, facts ON request_item
    BEGIN SELECT RAISE(ABORT, 'this of request_item never changes'); END;
CREATE TRIGGER device_record_fixed BEFORE UPDATE OF id, number, form, medium, at, place, giver_kind, giver, taker_kind, taker, giver_signer, taker_signer,
    way, reason, step, made_by ON device_record
    BEGIN SELECT RAISE(ABORT, 'this of device_record never changes'); END;
CREATE TRIGGER device_record_item_kept BEFORE UPDATE ON device_record_item
    BEGIN SELECT RAISE(ABORT, 'device_record_item is only added to'); END;
CREATE TRIGGER subscriber_certificate_kept BEFORE UPDATE OF serial, subscriber, since ON subscriber_certificate
    BEGIN SELECT RAISE(ABORT, 'this of subscriber_certificate never changes'); END;
CREATE TRIGGER notice_kept BEFORE UPDATE ON notice
    BEGIN SELECT RAISE(ABORT, 'notice is only added to'); END;
CREATE TRIGGER request_transition_kept BEFORE UPDATE ON request_transition
    BEGIN SELECT RAISE(ABORT, 'request_transition is only added to'); END;
CREATE TRIGGER device_fixed BEFORE UPDATE OF id, kind, number ON device
    BEGIN SELECT RAISE(ABORT, 'this of device never changes'); END;
CREATE TRIGGER request_content BEFORE UPDATE OF content, digest, number ON request WHEN OLD.state <> 1
    BEGIN SELECT RAISE(ABORT, 'a dossier is written as a draft'); END;
CREATE TRIGGER request_signature BEFORE UPDATE OF document, signed_at, signed_by ON request WHEN OLD.state NOT IN (1, 2)
    BEGIN SELECT RAISE(ABORT, 'what was sent stays signed as it was'); END;
CREATE TRIGGER request_addressee BEFORE UPDATE OF addressee ON request WHEN OLD.state NOT IN (1, 4)
    BEGIN SELECT RAISE(ABORT, 'whom it lies before is said when it is sent'); END;
CREATE TRIGGER request_item_matter BEFORE UPDATE OF matter ON request_item WHEN OLD.matter IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'an item has one decision'); END;
CREATE TRIGGER request_item_state BEFORE UPDATE OF state ON request_item WHEN NEW.state <> OLD.state
    AND NOT (OLD.state = 0 AND NEW.state IN (1, 2)) AND NOT (OLD.state = 1 AND NEW.state = 3)
    BEGIN SELECT RAISE(ABORT, 'an item is decided once and done once'); END;
CREATE TRIGGER request_item_decided BEFORE UPDATE OF decided_at, decided_by, reason ON request_item WHEN OLD.state <> 0
    BEGIN SELECT RAISE(ABORT, 'an item is decided once and done once'); END;
-- A machine that keeps its key itself fetches its certificate after its item was done: once, and the one of its own approval.
CREATE TRIGGER request_item_result BEFORE UPDATE OF device, result ON request_item WHEN OLD.state <> 1 AND NOT (OLD.state = 3 AND OLD.result = ''
    AND NEW.device = OLD.device AND EXISTS (SELECT 1 FROM enrol_approval e WHERE e.item = 'request:' || OLD.request || '/item:' || OLD.place AND lower(hex(e.serial)) = NEW.result))
    BEGIN SELECT RAISE(ABORT, 'an item is decided once and done once'); END;
CREATE TRIGGER request_execution_kept BEFORE UPDATE ON request_execution WHEN OLD.finished_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'what was carried out stays so'); END;
CREATE TRIGGER device_record_closed BEFORE UPDATE ON device_record WHEN OLD.state IN ('signed', 'void')
    BEGIN SELECT RAISE(ABORT, 'a signed record stays as it was signed'); END;
CREATE TRIGGER device_record_signed BEFORE UPDATE OF pdf, sha256, giver_signed, taker_signed ON device_record WHEN NEW.state = OLD.state
    BEGIN SELECT RAISE(ABORT, 'the paper changes with a signature alone'); END;
CREATE TRIGGER device_record_state BEFORE UPDATE OF state ON device_record WHEN NOT (OLD.state = 'draft' AND NEW.state IN ('half-signed', 'void'))
    AND NOT (OLD.state = 'half-signed' AND NEW.state IN ('signed', 'void'))
    BEGIN SELECT RAISE(ABORT, 'the giver signs, then the taker'); END;
CREATE TRIGGER enrol_approval_done BEFORE UPDATE OF state, key_digest, serial ON enrol_approval WHEN OLD.serial IS NOT NULL AND (NEW.state <> OLD.state OR NEW.serial IS NULL
    OR NEW.serial <> OLD.serial OR NEW.key_digest IS NULL OR NEW.key_digest <> OLD.key_digest)
    BEGIN SELECT RAISE(ABORT, 'an approval is used once'); END;
CREATE TRIGGER enrol_approval_withdrawn BEFORE UPDATE OF state ON enrol_approval WHEN OLD.state = 3 AND NEW.state <> 3
    BEGIN SELECT RAISE(ABORT, 'what was withdrawn stays so'); END;
CREATE TRIGGER request_moved BEFORE UPDATE OF state ON request
    WHEN NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM request_transition WHERE state_from = OLD.state AND state_to = NEW.state)
    BEGIN SELECT RAISE(ABORT, 'a dossier moves as the table says'); END;
CREATE TRIGGER request_item_stays BEFORE DELETE ON request_item
    WHEN EXISTS (SELECT 1 FROM request WHERE id = OLD.request AND state <> 1)
    BEGIN SELECT RAISE(ABORT, 'items are taken away from a draft alone'); END;
CREATE TRIGGER device_stated BEFORE UPDATE OF state, event ON device
    WHEN NOT EXISTS (SELECT 1 FROM device_event WHERE device = NEW.id AND seq = NEW.event AND state_to = NEW.state)
    BEGIN SELECT RAISE(ABORT, 'the state of a device is that of its last event'); END;
CREATE TRIGGER device_held BEFORE UPDATE OF link, holder_kind, holder ON device
    WHEN NOT EXISTS (SELECT 1 FROM custody WHERE device = NEW.id AND seq = NEW.link AND taker_kind = NEW.holder_kind AND taker = NEW.holder)
    BEGIN SELECT RAISE(ABORT, 'who holds a device is the taker of its last link'); END;
CREATE TRIGGER custody_recorded BEFORE INSERT ON custody
    WHEN NOT EXISTS (SELECT 1 FROM device_record r JOIN device_record_item i ON i.record = r.id WHERE r.id = NEW.record AND i.device = NEW.device
        AND r.giver_kind = NEW.giver_kind AND r.giver = NEW.giver AND r.taker_kind = NEW.taker_kind AND r.taker = NEW.taker AND r.state = NEW.record_state)
        OR EXISTS (SELECT 1 FROM custody WHERE device = NEW.device AND record = NEW.record AND seq <> NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'a link of custody rests on the record of this very hand-over'); END;
CREATE TRIGGER device_record_item_added BEFORE INSERT ON device_record_item
    WHEN EXISTS (SELECT 1 FROM device_record WHERE id = NEW.record AND (state IN ('half-signed', 'void') OR (state = 'signed' AND medium <> 'paper')))
    BEGIN SELECT RAISE(ABORT, 'a record names its devices before it is signed'); END;
CREATE TRIGGER request_stays BEFORE DELETE ON request BEGIN SELECT RAISE(ABORT, 'request is only added to'); END;
CREATE TRIGGER request_execution_stays BEFORE DELETE ON request_execution BEGIN SELECT RAISE(ABORT, 'request_execution is only added to'); END;
CREATE TRIGGER device_record_stays BEFORE DELETE ON device_record BEGIN SELECT RAISE(ABORT, 'device_record is only added to'); END;
CREATE TRIGGER device_record_item_stays BEFORE DELETE ON device_record_item BEGIN SELECT RAISE(ABORT, 'device_record_item is only added to'); END;
CREATE TRIGGER subscriber_certificate_stays BEFORE DELETE ON subscriber_certificate BEGIN SELECT RAISE(ABORT, 'subscriber_certificate is only added to'); END;
CREATE TRIGGER notice_stays BEFORE DELETE ON notice BEGIN SELECT RAISE(ABORT, 'notice is only added to'); END;
CREATE TRIGGER request_transition_stays BEFORE DELETE ON request_transition BEGIN SELECT RAISE(ABORT, 'request_transition is only added to'); END;
CREATE TRIGGER device_stays BEFORE DELETE ON device BEGIN SELECT RAISE(ABORT, 'device is only added to'); END;
-- only: postgresql
CREATE TRIGGER request_fixed BEFORE UPDATE OF id, request_key, kind, regulation, agency, subject_kind, device_kind, form, form_citation,
    created_at, created_by OR DELETE OR TRUNCATE ON request
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER request_item_fixed BEFORE UPDATE OF request, place, subject, name, folded, email, certificate, ground, facts ON request_item
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER device_record_fixed BEFORE UPDATE OF id, number, form, medium, at, place, giver_kind, giver, taker_kind, taker, giver_signer, taker_signer,
    way, reason, step, made_by OR DELETE OR TRUNCATE ON device_record
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER device_record_item_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON device_record_item
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER subscriber_certificate_kept BEFORE UPDATE OF serial, subscriber, since OR DELETE OR TRUNCATE ON subscriber_certificate
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER notice_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON notice
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER request_transition_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON request_transition
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER device_fixed BEFORE UPDATE OF id, kind, number OR DELETE OR TRUNCATE ON device
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER request_execution_stays BEFORE DELETE OR TRUNCATE ON request_execution EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER request_item_whole BEFORE TRUNCATE ON request_item EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER request_content BEFORE UPDATE OF content, digest, number ON request FOR EACH ROW
    WHEN (OLD.state <> 1)
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER request_signature BEFORE UPDATE OF document, signed_at, signed_by ON request FOR EACH ROW
    WHEN (OLD.state NOT IN (1, 2))
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER request_addressee BEFORE UPDATE OF addressee ON request FOR EACH ROW
    WHEN (OLD.state NOT IN (1, 4))
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER request_item_matter BEFORE UPDATE OF matter ON request_item FOR EACH ROW
    WHEN (OLD.matter IS NOT NULL)
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER request_item_state BEFORE UPDATE OF state ON request_item FOR EACH ROW
    WHEN (NEW.state <> OLD.state
    AND NOT (OLD.state = 0 AND NEW.state IN (1, 2)) AND NOT (OLD.state = 1 AND NEW.state = 3))
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER request_item_decided BEFORE UPDATE OF decided_at, decided_by, reason ON request_item FOR EACH ROW
    WHEN (OLD.state <> 0)
    EXECUTE FUNCTION kept_refuse();
CREATE FUNCTION request_item_result_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF OLD.state = 3 AND OLD.result = '' AND NEW.device = OLD.device AND EXISTS (SELECT 1 FROM enrol_approval e
        WHERE e.item = 'request:' || OLD.request || '/item:' || OLD.place AND encode(e.serial, 'hex') = NEW.result) THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'an item is decided once and done once' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER request_item_result BEFORE UPDATE OF device, result ON request_item FOR EACH ROW
    WHEN (OLD.state <> 1)
    EXECUTE FUNCTION request_item_result_refuse();
CREATE TRIGGER request_execution_kept BEFORE UPDATE ON request_execution FOR EACH ROW
    WHEN (OLD.finished_at IS NOT NULL)
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER device_record_closed BEFORE UPDATE ON device_record FOR EACH ROW
    WHEN (OLD.state IN ('signed', 'void'))
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER device_record_signed BEFORE UPDATE OF pdf, sha256, giver_signed, taker_signed ON device_record FOR EACH ROW
    WHEN (NEW.state = OLD.state)
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER device_record_state BEFORE UPDATE OF state ON device_record FOR EACH ROW
    WHEN (NOT (OLD.state = 'draft' AND NEW.state IN ('half-signed', 'void'))
    AND NOT (OLD.state = 'half-signed' AND NEW.state IN ('signed', 'void')))
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER enrol_approval_done BEFORE UPDATE OF state, key_digest, serial ON enrol_approval FOR EACH ROW
    WHEN (OLD.serial IS NOT NULL AND (NEW.state <> OLD.state OR NEW.serial IS NULL
    OR NEW.serial <> OLD.serial OR NEW.key_digest IS NULL OR NEW.key_digest <> OLD.key_digest))
    EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER enrol_approval_withdrawn BEFORE UPDATE OF state ON enrol_approval FOR EACH ROW
    WHEN (OLD.state = 3 AND NEW.state <> 3)
    EXECUTE FUNCTION kept_refuse();
CREATE FUNCTION request_moved() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF NEW.state <> OLD.state AND NOT EXISTS (SELECT 1 FROM request_transition WHERE state_from = OLD.state AND state_to = NEW.state) THEN
        RAISE EXCEPTION 'a dossier moves as the table says' USING ERRCODE = 'integrity_constraint_violation'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER request_moved BEFORE UPDATE OF state ON request FOR EACH ROW EXECUTE FUNCTION request_moved();
CREATE FUNCTION request_item_stays() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF EXISTS (SELECT 1 FROM request WHERE id = OLD.request AND state <> 1) THEN
        RAISE EXCEPTION 'items are taken away from a draft alone' USING ERRCODE = 'integrity_constraint_violation'; END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER request_item_stays BEFORE DELETE ON request_item FOR EACH ROW EXECUTE FUNCTION request_item_stays();
CREATE FUNCTION device_stated() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM device_event WHERE device = NEW.id AND seq = NEW.event AND state_to = NEW.state) THEN
        RAISE EXCEPTION 'the state of a device is that of its last event' USING ERRCODE = 'integrity_constraint_violation'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER device_stated BEFORE UPDATE OF state, event ON device FOR EACH ROW EXECUTE FUNCTION device_stated();
CREATE FUNCTION device_held() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM custody WHERE device = NEW.id AND seq = NEW.link AND taker_kind = NEW.holder_kind AND taker = NEW.holder) THEN
        RAISE EXCEPTION 'who holds a device is the taker of its last link' USING ERRCODE = 'integrity_constraint_violation'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER device_held BEFORE UPDATE OF link, holder_kind, holder ON device FOR EACH ROW EXECUTE FUNCTION device_held();
CREATE FUNCTION custody_recorded() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM device_record r JOIN device_record_item i ON i.record = r.id WHERE r.id = NEW.record AND i.device = NEW.device
        AND r.giver_kind = NEW.giver_kind AND r.giver = NEW.giver AND r.taker_kind = NEW.taker_kind AND r.taker = NEW.taker AND r.state = NEW.record_state)
        OR EXISTS (SELECT 1 FROM custody WHERE device = NEW.device AND record = NEW.record AND seq <> NEW.seq) THEN
        RAISE EXCEPTION 'a link of custody rests on the record of this very hand-over' USING ERRCODE = 'integrity_constraint_violation'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER custody_recorded BEFORE INSERT ON custody FOR EACH ROW EXECUTE FUNCTION custody_recorded();
CREATE FUNCTION device_record_item_added() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF EXISTS (SELECT 1 FROM device_record WHERE id = NEW.record AND (state IN ('half-signed', 'void') OR (state = 'signed' AND medium <> 'paper'))) THEN
        RAISE EXCEPTION 'a record names its devices before it is signed' USING ERRCODE = 'integrity_constraint_violation'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER device_record_item_added BEFORE INSERT ON device_record_item FOR EACH ROW EXECUTE FUNCTION device_record_item_added();
-- only: both
