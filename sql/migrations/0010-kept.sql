-- What was decided, signed, issued or told is never changed or taken away: in these tables rows are only added, or change in the
-- named columns alone. Like the triggers of the audit log they stand against a fault of ours and a careless hand; whoever owns the
-- tables can drop them, and with PostgreSQL the role that serves need not be the owner: sql/serving-role.sql.
-- only: sqlite
CREATE TRIGGER audit_node_kept BEFORE UPDATE ON audit_node BEGIN SELECT RAISE(ABORT, 'audit_node is only added to'); END;
CREATE TRIGGER audit_node_stays BEFORE DELETE ON audit_node BEGIN SELECT RAISE(ABORT, 'audit_node is only added to'); END;
CREATE TRIGGER audit_checkpoint_kept BEFORE UPDATE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'audit_checkpoint is only added to'); END;
CREATE TRIGGER audit_checkpoint_stays BEFORE DELETE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'audit_checkpoint is only added to'); END;
CREATE TRIGGER decision_matter_kept BEFORE UPDATE ON decision_matter BEGIN SELECT RAISE(ABORT, 'decision_matter is only added to'); END;
CREATE TRIGGER decision_matter_stays BEFORE DELETE ON decision_matter BEGIN SELECT RAISE(ABORT, 'decision_matter is only added to'); END;
CREATE TRIGGER decision_vote_kept BEFORE UPDATE ON decision_vote BEGIN SELECT RAISE(ABORT, 'decision_vote is only added to'); END;
CREATE TRIGGER decision_vote_stays BEFORE DELETE ON decision_vote BEGIN SELECT RAISE(ABORT, 'decision_vote is only added to'); END;
CREATE TRIGGER decision_seal_kept BEFORE UPDATE ON decision_seal BEGIN SELECT RAISE(ABORT, 'decision_seal is only added to'); END;
CREATE TRIGGER decision_seal_stays BEFORE DELETE ON decision_seal BEGIN SELECT RAISE(ABORT, 'decision_seal is only added to'); END;
CREATE TRIGGER certificate_act_kept BEFORE UPDATE ON certificate_act BEGIN SELECT RAISE(ABORT, 'certificate_act is only added to'); END;
CREATE TRIGGER certificate_act_stays BEFORE DELETE ON certificate_act BEGIN SELECT RAISE(ABORT, 'certificate_act is only added to'); END;
CREATE TRIGGER crl_issued_kept BEFORE UPDATE ON crl_issued BEGIN SELECT RAISE(ABORT, 'crl_issued is only added to'); END;
CREATE TRIGGER crl_issued_stays BEFORE DELETE ON crl_issued BEGIN SELECT RAISE(ABORT, 'crl_issued is only added to'); END;
CREATE TRIGGER trust_list_kept BEFORE UPDATE ON trust_list BEGIN SELECT RAISE(ABORT, 'trust_list is only added to'); END;
CREATE TRIGGER trust_list_stays BEFORE DELETE ON trust_list BEGIN SELECT RAISE(ABORT, 'trust_list is only added to'); END;
CREATE TRIGGER device_event_kept BEFORE UPDATE ON device_event BEGIN SELECT RAISE(ABORT, 'device_event is only added to'); END;
CREATE TRIGGER device_event_stays BEFORE DELETE ON device_event BEGIN SELECT RAISE(ABORT, 'device_event is only added to'); END;
CREATE TRIGGER custody_kept BEFORE UPDATE ON custody BEGIN SELECT RAISE(ABORT, 'custody is only added to'); END;
CREATE TRIGGER custody_stays BEFORE DELETE ON custody BEGIN SELECT RAISE(ABORT, 'custody is only added to'); END;
CREATE TRIGGER request_event_kept BEFORE UPDATE ON request_event BEGIN SELECT RAISE(ABORT, 'request_event is only added to'); END;
CREATE TRIGGER request_event_stays BEFORE DELETE ON request_event BEGIN SELECT RAISE(ABORT, 'request_event is only added to'); END;
CREATE TRIGGER certificate_kept BEFORE UPDATE OF id, authority, serial, partition, der, profile, subject, subject_folded, agency_folded, email_folded, not_before,
    not_after, subscriber, device, request_key, request_digest, predecessor, kind, renewals, matter, issued_at ON certificate
    BEGIN SELECT RAISE(ABORT, 'of a certificate only its status changes'); END;
CREATE TRIGGER certificate_stays BEFORE DELETE ON certificate BEGIN SELECT RAISE(ABORT, 'certificate is only added to'); END;
CREATE TRIGGER certificate_revoked BEFORE UPDATE OF status ON certificate WHEN OLD.status = 1 AND NEW.status <> 1
    BEGIN SELECT RAISE(ABORT, 'what is revoked stays revoked'); END;
CREATE TRIGGER revocation_kept BEFORE UPDATE OF sequence, authority, partition, serial, kind, at_utc, entry ON revocation
    BEGIN SELECT RAISE(ABORT, 'revocation is only added to'); END;
CREATE TRIGGER revocation_stays BEFORE DELETE ON revocation BEGIN SELECT RAISE(ABORT, 'revocation is only added to'); END;
CREATE TRIGGER authority_kept BEFORE UPDATE OF id, name, line, kind, hierarchy, profile, parent, certificate, serial, key, not_before, not_after, created_at ON authority
    BEGIN SELECT RAISE(ABORT, 'of an authority only its OCSP signer and its status change'); END;
CREATE TRIGGER authority_stays BEFORE DELETE ON authority BEGIN SELECT RAISE(ABORT, 'authority is only added to'); END;
CREATE TRIGGER officer_kept BEFORE UPDATE OF id, person, role, certificate, certificate_hash, since ON officer
    BEGIN SELECT RAISE(ABORT, 'of an officer only the end is written'); END;
CREATE TRIGGER officer_stays BEFORE DELETE ON officer BEGIN SELECT RAISE(ABORT, 'officer is only added to'); END;
CREATE TRIGGER enrol_approval_kept BEFORE UPDATE OF id, reference, salt, item, profile, authority, subject, email, subscriber, agency, months, matter, created_at, created_by,
    expires_at ON enrol_approval BEGIN SELECT RAISE(ABORT, 'what was approved is not changed'); END;
CREATE TRIGGER enrol_approval_stays BEFORE DELETE ON enrol_approval BEGIN SELECT RAISE(ABORT, 'enrol_approval is only added to'); END;
-- only: postgresql
CREATE FUNCTION kept_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is only added to', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER audit_node_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_node EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER audit_checkpoint_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER decision_matter_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON decision_matter EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER decision_vote_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON decision_vote EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER decision_seal_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON decision_seal EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER certificate_act_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON certificate_act EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER crl_issued_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON crl_issued EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER trust_list_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON trust_list EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER device_event_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON device_event EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER custody_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON custody EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER request_event_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON request_event EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER certificate_kept BEFORE UPDATE OF id, authority, serial, partition, der, profile, subject, subject_folded, agency_folded, email_folded, not_before,
    not_after, subscriber, device, request_key, request_digest, predecessor, kind, renewals, matter, issued_at OR DELETE OR TRUNCATE ON certificate EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER certificate_revoked BEFORE UPDATE OF status ON certificate FOR EACH ROW WHEN (OLD.status = 1 AND NEW.status <> 1) EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER revocation_kept BEFORE UPDATE OF sequence, authority, partition, serial, kind, at_utc, entry OR DELETE OR TRUNCATE ON revocation EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER authority_kept BEFORE UPDATE OF id, name, line, kind, hierarchy, profile, parent, certificate, serial, key, not_before, not_after, created_at
    OR DELETE OR TRUNCATE ON authority EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER officer_kept BEFORE UPDATE OF id, person, role, certificate, certificate_hash, since OR DELETE OR TRUNCATE ON officer EXECUTE FUNCTION kept_refuse();
CREATE TRIGGER enrol_approval_kept BEFORE UPDATE OF id, reference, salt, item, profile, authority, subject, email, subscriber, agency, months, matter, created_at, created_by,
    expires_at OR DELETE OR TRUNCATE ON enrol_approval EXECUTE FUNCTION kept_refuse();
-- only: both
