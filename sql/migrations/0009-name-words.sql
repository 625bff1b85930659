-- Names are found by any of their words: the name from its second word on, from its third …; the last one with the words before it
-- behind it ("uong nguyen thi"). What the name begins with is in the register itself.
CREATE TABLE person_tail (
    tail {text} NOT NULL,
    person {int} NOT NULL REFERENCES person (id),
    PRIMARY KEY (tail, person)
) {clustered};
CREATE INDEX person_tail_person ON person_tail (person, tail);
INSERT INTO person_tail (tail, person) SELECT name_key, id FROM person WHERE name_key <> name_folded;
-- only: sqlite
INSERT INTO person_tail (tail, person)
WITH RECURSIVE cut (id, rest, depth) AS (SELECT id, name_folded, 0 FROM person
    UNION ALL SELECT id, substr(rest, instr(rest, ' ') + 1), depth + 1 FROM cut WHERE instr(rest, ' ') > 0)
SELECT DISTINCT rest, id FROM cut WHERE depth > 0 AND instr(rest, ' ') > 0 ON CONFLICT DO NOTHING;
-- only: postgresql
INSERT INTO person_tail (tail, person)
WITH RECURSIVE cut (id, rest, depth) AS (SELECT id, name_folded, 0 FROM person
    UNION ALL SELECT id, substr(rest, strpos(rest, ' ') + 1), depth + 1 FROM cut WHERE strpos(rest, ' ') > 0)
SELECT DISTINCT rest, id FROM cut WHERE depth > 0 AND strpos(rest, ' ') > 0 ON CONFLICT DO NOTHING;
-- only: both
DROP INDEX person_name_key;
ALTER TABLE person DROP COLUMN name_key;
CREATE TABLE subscriber_tail (
    tail {text} NOT NULL,
    subscriber {int} NOT NULL REFERENCES subscriber (id),
    PRIMARY KEY (tail, subscriber)
) {clustered};
CREATE INDEX subscriber_tail_subscriber ON subscriber_tail (subscriber, tail);
INSERT INTO subscriber_tail (tail, subscriber) SELECT name_key, id FROM subscriber WHERE name_key <> name_folded;
-- only: sqlite
INSERT INTO subscriber_tail (tail, subscriber)
WITH RECURSIVE cut (id, rest, depth) AS (SELECT id, name_folded, 0 FROM subscriber
    UNION ALL SELECT id, substr(rest, instr(rest, ' ') + 1), depth + 1 FROM cut WHERE instr(rest, ' ') > 0)
SELECT DISTINCT rest, id FROM cut WHERE depth > 0 AND instr(rest, ' ') > 0 ON CONFLICT DO NOTHING;
-- only: postgresql
INSERT INTO subscriber_tail (tail, subscriber)
WITH RECURSIVE cut (id, rest, depth) AS (SELECT id, name_folded, 0 FROM subscriber
    UNION ALL SELECT id, substr(rest, strpos(rest, ' ') + 1), depth + 1 FROM cut WHERE strpos(rest, ' ') > 0)
SELECT DISTINCT rest, id FROM cut WHERE depth > 0 AND strpos(rest, ' ') > 0 ON CONFLICT DO NOTHING;
-- only: both
DROP INDEX subscriber_name_key;
ALTER TABLE subscriber DROP COLUMN name_key;
