-- Reminders also tell what a person who goes keeps for the agency, and look at who has gone.
CREATE INDEX subscriber_manager ON subscriber (manager) WHERE manager IS NOT NULL;
CREATE INDEX person_ended ON person (until) WHERE until IS NOT NULL;
