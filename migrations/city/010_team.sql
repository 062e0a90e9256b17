-- Teams at work: who is on duty when, who is away, what they can do and drive, where they were seen last, and the addresses
-- under which calendars read rosters.

-- One person on duty in a unit. Nobody is on duty twice at a time. version counts the changes: calendars go by it.
CREATE TABLE shift (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit_id bigint NOT NULL REFERENCES unit (id),
    person_id uuid NOT NULL REFERENCES person (id),
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    leads boolean NOT NULL,
    version integer NOT NULL,
    changed_at timestamptz NOT NULL,
    CHECK (to_at > from_at AND to_at <= from_at + interval '24 hours'),
    CONSTRAINT shift_once EXCLUDE USING gist (person_id WITH =, tstzrange(from_at, to_at) WITH &&) DEFERRABLE INITIALLY IMMEDIATE
);

CREATE INDEX shift_unit_to ON shift (unit_id, to_at);

CREATE INDEX shift_unit_from ON shift (unit_id, from_at);

CREATE INDEX shift_to ON shift (to_at);

-- A shift that somebody wants to hand to another of the unit, maybe for one of the other's. The record of acts has what became
-- of those that were answered.
CREATE TABLE shift_swap (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit_id bigint NOT NULL REFERENCES unit (id),
    shift_id bigint NOT NULL REFERENCES shift (id) ON DELETE CASCADE,
    person_id uuid NOT NULL REFERENCES person (id),
    other_id uuid NOT NULL REFERENCES person (id),
    other_shift_id bigint REFERENCES shift (id) ON DELETE CASCADE,
    asked_at timestamptz NOT NULL,
    UNIQUE (shift_id),
    CHECK (person_id <> other_id AND shift_id <> other_shift_id)
);

CREATE INDEX shift_swap_unit ON shift_swap (unit_id);

CREATE INDEX shift_swap_other_shift ON shift_swap (other_shift_id);

-- Who is away. It is asked of one unit; once granted it holds in all. Why is nobody's business here.
CREATE TABLE leave (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit_id bigint NOT NULL REFERENCES unit (id),
    person_id uuid NOT NULL REFERENCES person (id),
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('asked', 'granted')),
    asked_at timestamptz NOT NULL,
    CHECK (to_at > from_at AND to_at <= from_at + interval '366 days'),
    EXCLUDE USING gist (person_id WITH =, tstzrange(from_at, to_at) WITH &&)
);

CREATE INDEX leave_unit_to ON leave (unit_id, to_at);

CREATE INDEX leave_to ON leave (to_at);

-- What people can do beside their posts, by the city's short list.
CREATE TABLE skill (
    code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{0,31}$'),
    name text NOT NULL CHECK (name ~ '^[^[:cntrl:]]{1,60}$'),
    name_en text CHECK (name_en ~ '^[^[:cntrl:]]{1,60}$'),
    ord integer NOT NULL
);

CREATE TABLE person_skill (
    person_id uuid NOT NULL REFERENCES person (id),
    skill text NOT NULL REFERENCES skill (code) ON DELETE CASCADE,
    PRIMARY KEY (person_id, skill)
);

CREATE TABLE vehicle (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit_id bigint NOT NULL REFERENCES unit (id),
    name text NOT NULL CHECK (name ~ '^[^[:cntrl:]]{1,40}$'),
    kind text NOT NULL CHECK (kind IN ('car', 'van', 'motorcycle', 'electric', 'truck', 'boat', 'drone', 'other')),
    seats smallint NOT NULL CHECK (seats BETWEEN 0 AND 60),
    in_service boolean NOT NULL,
    version integer NOT NULL,
    UNIQUE (unit_id, name)
);

-- Who lets those who lead see where they are while on duty, and the one latest place of each. A place goes with the consent.
CREATE TABLE position_consent (
    person_id uuid PRIMARY KEY REFERENCES person (id),
    given_at timestamptz NOT NULL
);

CREATE TABLE last_position (
    person_id uuid PRIMARY KEY REFERENCES position_consent (person_id) ON DELETE CASCADE,
    lon double precision NOT NULL CHECK (lon BETWEEN -180 AND 180),
    lat double precision NOT NULL CHECK (lat BETWEEN -90 AND 90),
    accuracy_m double precision NOT NULL CHECK (accuracy_m BETWEEN 0 AND 100000),
    at timestamptz NOT NULL
);

-- Addresses under which a calendar reads a person's shifts, or a unit's. hash is the SHA-256 of the secret in the address. One
-- of a person for each: another one ends it.
CREATE TABLE calendar_feed (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    person_id uuid NOT NULL REFERENCES person (id),
    unit_id bigint REFERENCES unit (id),
    made_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX calendar_feed_whose ON calendar_feed (person_id, coalesce(unit_id, 0));

CREATE INDEX cases_handler ON cases (handler) WHERE handler IS NOT NULL AND due_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON shift, shift_swap, leave, skill, person_skill, vehicle, position_consent, last_position, calendar_feed TO {{.role}};

---- create above / drop below ----

DROP INDEX cases_handler;

DROP TABLE calendar_feed;

DROP TABLE last_position;

DROP TABLE position_consent;

DROP TABLE vehicle;

DROP TABLE person_skill;

DROP TABLE skill;

DROP TABLE leave;

DROP TABLE shift_swap;

DROP TABLE shift;
