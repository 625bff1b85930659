-- Which acts of certification need the approval of several persons. A rule grows stricter at a word of the configuration; less is asked for
-- only when a decided matter says so. What is asked is kept by the tables: no program and no hand records an act without it.
CREATE TABLE approval_rule (
    act {text} NOT NULL PRIMARY KEY,
    needed {int} NOT NULL CHECK (needed BETWEEN 0 AND 16), -- approvals; 0 = none
    matter {int} REFERENCES decision_seal (matter),        -- on which a lower number rests
    since {int} NOT NULL
) {table};
-- What a machine may fetch rests on a matter, too; so does the certificate that comes of it.
ALTER TABLE enrol_approval ADD COLUMN matter {int} REFERENCES decision_seal (matter);

-- The instance's own signers (nhat-ky, dang-ky) are part of its setting up. How many decide about a request is said by the regulation.
-- only: sqlite
CREATE TRIGGER approval_rule_stays BEFORE DELETE ON approval_rule BEGIN SELECT RAISE(ABORT, 'a rule of approval stays'); END;
CREATE TRIGGER approval_rule_kept BEFORE UPDATE ON approval_rule
WHEN NEW.act <> OLD.act OR (NEW.needed < OLD.needed AND (NEW.matter IS OLD.matter OR NOT EXISTS (SELECT 1 FROM decision_matter m JOIN decision_seal s ON s.matter = m.id
    WHERE m.id = NEW.matter AND m.act = 'approval.rules' AND m.needed >= OLD.needed)))
BEGIN SELECT RAISE(ABORT, 'less approval needs approval'); END;
CREATE TRIGGER certificate_approved BEFORE INSERT ON certificate
WHEN EXISTS (SELECT 1 FROM approval_rule r WHERE r.needed > 0 AND NEW.profile NOT IN ('nhat-ky', 'dang-ky')
    AND r.act = CASE NEW.kind WHEN 'new' THEN 'certificate.issue' WHEN 'renewed' THEN 'certificate.renew' ELSE 'certificate.change' END
    AND NOT EXISTS (SELECT 1 FROM decision_matter m WHERE m.id = NEW.matter AND (m.needed >= r.needed OR m.act = 'request.approve')))
BEGIN SELECT RAISE(ABORT, 'this act needs approval'); END;
CREATE TRIGGER certificate_act_approved BEFORE INSERT ON certificate_act
WHEN EXISTS (SELECT 1 FROM approval_rule r WHERE r.needed > 0 AND r.act = NEW.act
    AND NOT EXISTS (SELECT 1 FROM decision_matter m WHERE m.id = NEW.matter AND (m.needed >= r.needed OR m.act = 'request.approve')))
BEGIN SELECT RAISE(ABORT, 'this act needs approval'); END;
-- only: postgresql
CREATE FUNCTION approval_rule_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF TG_OP = 'UPDATE' AND NEW.act = OLD.act AND (NEW.needed >= OLD.needed OR (NEW.matter IS DISTINCT FROM OLD.matter AND EXISTS (SELECT 1 FROM decision_matter m JOIN decision_seal s ON s.matter = m.id
        WHERE m.id = NEW.matter AND m.act = 'approval.rules' AND m.needed >= OLD.needed))) THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'less approval needs approval' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER approval_rule_kept BEFORE UPDATE OR DELETE ON approval_rule FOR EACH ROW EXECUTE FUNCTION approval_rule_refuse();
CREATE FUNCTION certificate_approve() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF EXISTS (SELECT 1 FROM approval_rule r WHERE r.needed > 0 AND NEW.profile NOT IN ('nhat-ky', 'dang-ky')
        AND r.act = CASE NEW.kind WHEN 'new' THEN 'certificate.issue' WHEN 'renewed' THEN 'certificate.renew' ELSE 'certificate.change' END
        AND NOT EXISTS (SELECT 1 FROM decision_matter m WHERE m.id = NEW.matter AND (m.needed >= r.needed OR m.act = 'request.approve')))
    THEN RAISE EXCEPTION 'this act needs approval' USING ERRCODE = 'integrity_constraint_violation'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificate_approved BEFORE INSERT ON certificate FOR EACH ROW EXECUTE FUNCTION certificate_approve();
CREATE FUNCTION certificate_act_approve() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
    IF EXISTS (SELECT 1 FROM approval_rule r WHERE r.needed > 0 AND r.act = NEW.act
        AND NOT EXISTS (SELECT 1 FROM decision_matter m WHERE m.id = NEW.matter AND (m.needed >= r.needed OR m.act = 'request.approve')))
    THEN RAISE EXCEPTION 'this act needs approval' USING ERRCODE = 'integrity_constraint_violation'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certificate_act_approved BEFORE INSERT ON certificate_act FOR EACH ROW EXECUTE FUNCTION certificate_act_approve();
-- only: both
