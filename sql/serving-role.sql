-- PostgreSQL: the role that serves need not own the tables. The owner runs `antin init` and `antin upgrade`, then this, after each upgrade:
--   psql 'postgresql://owner@db/antin' -v role=antin_serve -f serving-role.sql
-- and `database:` in antin.yaml names the role. It reads all, adds rows, changes what changes in work, and takes away only what is
-- temporary; so whoever takes over the process with the network cannot rewrite the audit log, a decision or a certificate.
\set ON_ERROR_STOP 1
BEGIN;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM :"role";
GRANT USAGE ON SCHEMA public TO :"role";
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO :"role";
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO :"role";
REVOKE INSERT ON store_migration, device_transition, custody_step, request_transition FROM :"role";
GRANT UPDATE ON store_value, store_sequence, store_commit, audit_head, crl_block, crl_fold, enrol_transaction, agency, agency_code, person, post, duty,
    subscriber, device, device_record, reorganisation, import_job, approval_rule, request, request_item, request_execution, notice_job, outbox TO :"role";
GRANT UPDATE (status, revoked_at, reason, ground) ON certificate TO :"role";
GRANT UPDATE (is_current) ON revocation TO :"role";
GRANT UPDATE (device, object_id) ON subscriber_certificate TO :"role";
GRANT UPDATE (ocsp_certificate, ocsp_key, status) ON authority TO :"role";
GRANT UPDATE (until) ON officer TO :"role";
GRANT UPDATE (state, opened_at, opened_by, key_digest, used_at, serial, failures) ON enrol_approval TO :"role";
GRANT DELETE ON store_commit, crl_block, ocsp_answer, enrol_transaction, post, person_tail, subscriber_tail, request_item, request_open TO :"role";
COMMIT;
