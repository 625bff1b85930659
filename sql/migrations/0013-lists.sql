-- Lists of dossiers: those of one agency in one state; those that are late, by their deadline.
CREATE INDEX request_of_agency_state ON request (agency, state, id);
DROP INDEX request_due;
CREATE INDEX request_late ON request (due_at, id) WHERE state IN (5, 8, 9);
