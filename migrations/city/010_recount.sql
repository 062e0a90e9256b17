-- What another regime does to cases that are open.

-- calendar_id is the calendar by which the clock's times were kept last: of a stopped clock the one in force then. It names
-- no foreign key: a published document is never removed, and each clock that is opened would look it up. null: kept before
-- this was known.
ALTER TABLE clock ADD COLUMN calendar_id bigint;

UPDATE clock SET calendar_id = (SELECT r.id FROM regime r WHERE r.kind = 'calendar' AND r.in_force_from <= clock.stopped_at ORDER BY r.in_force_from DESC LIMIT 1)
WHERE stopped_at IS NOT NULL;

-- Which documents have been carried over to open cases, and how many cases and clocks have other times since: each calendar
-- that takes another's place, and each list of which it was asked for, by person_id. done_at: it was looked at all of them.
CREATE TABLE recount (
    regime_id bigint PRIMARY KEY REFERENCES regime (id),
    person_id uuid REFERENCES person (id),
    begun_at timestamptz NOT NULL,
    cases bigint NOT NULL CHECK (cases >= 0),
    clocks bigint NOT NULL CHECK (clocks >= 0),
    done_at timestamptz
);

GRANT SELECT, INSERT, UPDATE ON recount TO {{.role}};

---- create above / drop below ----

DROP TABLE recount;

ALTER TABLE clock DROP COLUMN calendar_id;
