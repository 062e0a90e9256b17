-- Teams at work: who is on duty when, who is away, what they can do and drive, where they were seen last, and the addresses
-- under which calendars read rosters.

-- As what an officer is stationed in a village.
ALTER TABLE post ADD COLUMN station text CHECK (station IN ('deputy_secretary', 'assistant_director')),
    ADD CHECK (station IS NULL OR role = 'stationed_officer');

-- When a unit is to have somebody on duty: around the clock, or in working time, as it is for units without a row.
CREATE TABLE unit_hours (
    unit_id bigint PRIMARY KEY REFERENCES unit (id),
    hours text NOT NULL CHECK (hours IN ('always', 'work'))
);

-- One person on duty in a unit. Nobody is on duty twice at a time. version counts the changes: calendars go by it.
CREATE TABLE shift (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit_id bigint NOT NULL REFERENCES unit (id),
    person_id uuid NOT NULL REFERENCES person (id),
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('duty', 'leader', 'standby')),
    version integer NOT NULL,
    changed_at timestamptz NOT NULL,
    CHECK (to_at > from_at AND to_at <= from_at + interval '24 hours'),
    CONSTRAINT shift_once EXCLUDE USING gist (person_id WITH =, tstzrange(from_at, to_at) WITH &&) DEFERRABLE INITIALLY IMMEDIATE
);

CREATE INDEX shift_unit_to ON shift (unit_id, to_at);

CREATE INDEX shift_person_to ON shift (person_id, to_at);

CREATE INDEX shift_to ON shift (to_at);

-- A shift that somebody wants to hand to another of the unit, maybe for one of the other's. What was answered stays, with the
-- times that were meant then; a shift that is gone takes its number along.
CREATE TABLE shift_swap (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit_id bigint NOT NULL REFERENCES unit (id),
    shift_id bigint REFERENCES shift (id) ON DELETE SET NULL,
    person_id uuid NOT NULL REFERENCES person (id),
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    other_id uuid NOT NULL REFERENCES person (id),
    other_shift_id bigint REFERENCES shift (id) ON DELETE SET NULL,
    other_from timestamptz,
    other_to timestamptz,
    state text NOT NULL CHECK (state IN ('asked', 'accepted', 'refused', 'withdrawn', 'overtaken')),
    asked_at timestamptz NOT NULL,
    answered_at timestamptz,
    CHECK (person_id <> other_id AND shift_id <> other_shift_id),
    CHECK ((other_from IS NULL) = (other_to IS NULL)),
    CHECK ((state = 'asked') = (answered_at IS NULL))
);

CREATE UNIQUE INDEX shift_swap_asked ON shift_swap (shift_id) WHERE state = 'asked';

CREATE INDEX shift_swap_shift ON shift_swap (shift_id);

CREATE INDEX shift_swap_other_shift ON shift_swap (other_shift_id);

CREATE INDEX shift_swap_unit ON shift_swap (unit_id, to_at);

CREATE INDEX shift_swap_other ON shift_swap (other_id) WHERE state = 'asked';

-- Who is away. It is asked of one unit; once granted it holds in all.
CREATE TABLE leave (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit_id bigint NOT NULL REFERENCES unit (id),
    person_id uuid NOT NULL REFERENCES person (id),
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('annual', 'sick', 'training', 'other')),
    granted boolean NOT NULL,
    asked_at timestamptz NOT NULL,
    CHECK (to_at > from_at AND to_at <= from_at + interval '366 days'),
    CONSTRAINT leave_once EXCLUDE USING gist (person_id WITH =, tstzrange(from_at, to_at) WITH &&)
);

CREATE INDEX leave_unit_to ON leave (unit_id, to_at);

CREATE INDEX leave_to ON leave (to_at);

-- What people can do beside their posts: words of the short list, or their own.
CREATE TABLE person_skill (
    person_id uuid NOT NULL REFERENCES person (id),
    skill text NOT NULL CHECK (skill ~ '^[^[:cntrl:]]{1,30}$'),
    PRIMARY KEY (person_id, skill)
);

CREATE TABLE vehicle (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit_id bigint NOT NULL REFERENCES unit (id),
    plate text NOT NULL CHECK (plate ~ '^[^[:cntrl:]]{1,40}$'),
    kind text NOT NULL CHECK (kind IN ('car', 'van', 'motorcycle', 'electric', 'truck', 'boat', 'drone', 'other')),
    seats smallint NOT NULL CHECK (seats BETWEEN 0 AND 60),
    in_service boolean NOT NULL,
    version integer NOT NULL,
    UNIQUE (unit_id, plate)
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

-- The address under which a calendar reads a person's shifts. hash is the SHA-256 of the secret in it; another one ends it.
CREATE TABLE calendar_feed (
    person_id uuid PRIMARY KEY REFERENCES person (id),
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    made_at timestamptz NOT NULL
);

CREATE INDEX cases_handler ON cases (handler) WHERE handler IS NOT NULL AND due_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON unit_hours, shift, shift_swap, leave, person_skill, vehicle, position_consent, last_position, calendar_feed
    TO {{.role}};

---- create above / drop below ----

DROP INDEX cases_handler;

DROP TABLE calendar_feed;

DROP TABLE last_position;

DROP TABLE position_consent;

DROP TABLE vehicle;

DROP TABLE person_skill;

DROP TABLE leave;

DROP TABLE shift_swap;

DROP TABLE shift;

DROP TABLE unit_hours;

ALTER TABLE post DROP COLUMN station;
