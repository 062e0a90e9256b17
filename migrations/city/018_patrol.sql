-- Patrols: points that somebody is to go by in a rhythm, and the visits to them. Nobody's way is kept: a visit is one position.

-- A point as it is now; version counts its changes. One that was removed stays, as visits name it. In which grid it lies is not kept: the
-- plan in force says so when it is read.
CREATE TABLE patrol_point (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '^[^[:cntrl:]]{1,100}$'),
    note text CHECK (length(note) BETWEEN 1 AND 500),
    lon double precision NOT NULL CHECK (lon BETWEEN -180 AND 180),
    lat double precision NOT NULL CHECK (lat BETWEEN -90 AND 90),
    rhythm_days integer NOT NULL CHECK (rhythm_days BETWEEN 1 AND 366),
    generated boolean NOT NULL,
    made_at timestamptz NOT NULL,
    made_by uuid NOT NULL REFERENCES person (id),
    version integer NOT NULL CHECK (version > 0),
    changed_at timestamptz NOT NULL CHECK (changed_at >= made_at),
    changed_by uuid NOT NULL REFERENCES person (id),
    removed_at timestamptz CHECK (removed_at = changed_at)
);

CREATE INDEX patrol_point_made_by ON patrol_point (made_by);

CREATE INDEX patrol_point_changed_by ON patrol_point (changed_by);

-- A visit as it was told. id is made by the client and makes a retry harmless; at is by the phone's clock, put right. distance_m is from
-- where the point was then, reach_m how near was near enough. The position goes when it is forgotten, and the words with it.
CREATE TABLE patrol_visit (
    id uuid PRIMARY KEY,
    point_id bigint NOT NULL REFERENCES patrol_point (id),
    person_id uuid NOT NULL REFERENCES person (id),
    post_id bigint REFERENCES post (id),
    at timestamptz NOT NULL,
    told_at timestamptz NOT NULL,
    lon double precision CHECK (lon BETWEEN -180 AND 180),
    lat double precision CHECK (lat BETWEEN -90 AND 90),
    accuracy_m double precision NOT NULL CHECK (accuracy_m BETWEEN 0 AND 100000),
    distance_m double precision NOT NULL CHECK (distance_m BETWEEN 0 AND 20100000),
    reach_m double precision NOT NULL CHECK (reach_m BETWEEN 1 AND 1000),
    within boolean NOT NULL GENERATED ALWAYS AS (distance_m <= reach_m) STORED,
    note text CHECK (length(note) BETWEEN 1 AND 500),
    generated boolean NOT NULL,
    CHECK ((lon IS NULL) = (lat IS NULL)),
    CHECK (lon IS NOT NULL OR note IS NULL)
);

CREATE INDEX patrol_visit_point ON patrol_visit (point_id, at);

CREATE INDEX patrol_visit_within ON patrol_visit (at, point_id) WHERE within;

CREATE INDEX patrol_visit_person ON patrol_visit (person_id, at);

-- Those of which something is left to forget, the oldest first.
CREATE INDEX patrol_visit_positioned ON patrol_visit (told_at, id) WHERE lon IS NOT NULL;

GRANT SELECT, INSERT ON patrol_point, patrol_visit TO {{.role}};

GRANT UPDATE (name, note, lon, lat, rhythm_days, version, changed_at, changed_by, removed_at) ON patrol_point TO {{.role}};

GRANT UPDATE (lon, lat, note) ON patrol_visit TO {{.role}};

---- create above / drop below ----

DROP TABLE patrol_visit;

DROP TABLE patrol_point;
