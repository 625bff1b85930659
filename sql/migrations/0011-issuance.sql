-- Issuing writes where it wrote before, not wherever a random serial number falls: docs/decisions/141-pages-that-issuing-touches.md.
-- Answers signed beforehand, under the number of their certificate; none goes over, since each can be signed again when it is asked for.
DROP TABLE ocsp_answer;
CREATE TABLE ocsp_answer (
    certificate {int} NOT NULL PRIMARY KEY, -- which is never taken away; a reference would be looked up for every one
    next_update {int} NOT NULL,
    answer {blob} NOT NULL
) {table};
-- only: sqlite
DROP INDEX audit_event_object; -- the search reads the log in its order: SQLite never used it
-- only: both
