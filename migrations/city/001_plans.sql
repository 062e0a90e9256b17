-- A city's boundary plans and the boundaries in them. Which levels a city has, the registry says.

-- "retired" is not stored: a plan is retired once a later published plan is in force, and a published plan never changes.
CREATE TABLE plan (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[^[:cntrl:]]{1,100}$'),
    state text NOT NULL CHECK (state IN ('draft', 'checked', 'published')),
    in_force_from timestamptz,
    version text,
    created_at timestamptz NOT NULL,
    checked_at timestamptz,
    published_at timestamptz,
    CHECK ((state = 'published') = (published_at IS NOT NULL)),
    CHECK (state <> 'published' OR (in_force_from IS NOT NULL AND version IS NOT NULL))
);

CREATE UNIQUE INDEX plan_in_force ON plan (in_force_from) WHERE state = 'published';

-- One level of a plan: imported, or dissolved by the check from the parents that the level below names, until an import
-- changes the plan. nests: each face is the union of its children in the next lower level. accepted_gaps: the reason why
-- gaps in the level are meant; it goes when the level or one above is imported again.
CREATE TABLE plan_level (
    plan_id bigint NOT NULL REFERENCES plan (id),
    role text NOT NULL CHECK (role IN ('city', 'town', 'village', 'grid', 'microgrid')),
    with_parent boolean NOT NULL,
    nests boolean NOT NULL,
    dissolved boolean NOT NULL,
    accepted_gaps text,
    file text NOT NULL,
    imported_at timestamptz NOT NULL,
    PRIMARY KEY (plan_id, role)
);

CREATE TABLE boundary (
    plan_id bigint NOT NULL,
    role text NOT NULL,
    code text NOT NULL CHECK (code ~ '^[^[:cntrl:]]{1,64}$'),
    name text NOT NULL,
    name_latin text,
    parent text,
    households integer CHECK (households >= 0),
    population integer CHECK (population >= 0),
    generated boolean NOT NULL,
    line integer NOT NULL,
    area_m2 double precision NOT NULL,
    geom geometry(MultiPolygon, 4490) NOT NULL,
    PRIMARY KEY (plan_id, role, code),
    FOREIGN KEY (plan_id, role) REFERENCES plan_level (plan_id, role)
);

CREATE INDEX boundary_geom ON boundary USING gist (geom);

-- What is to be said of a plan. of_input: of the polygons as they came, which the boundaries as stored no longer show; it
-- stays until the level is imported again, while the rest is found anew by each check.
CREATE TABLE finding (
    plan_id bigint NOT NULL,
    role text NOT NULL,
    num integer NOT NULL,
    of_input boolean NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('repaired', 'warning', 'refused')),
    codes text[] NOT NULL,
    line integer NOT NULL,
    lon double precision NOT NULL,
    lat double precision NOT NULL,
    area_m2 double precision NOT NULL,
    width_m double precision NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (plan_id, role, num),
    FOREIGN KEY (plan_id, role) REFERENCES plan_level (plan_id, role)
);

-- Whom the lines and reports are from, as shown on the map.
CREATE TABLE attribution (
    ord integer PRIMARY KEY,
    text text NOT NULL
);

GRANT SELECT, INSERT, DELETE ON attribution TO {{.role}};

GRANT SELECT, INSERT ON plan TO {{.role}};

GRANT UPDATE (state, in_force_from, version, checked_at, published_at) ON plan TO {{.role}};

GRANT SELECT, INSERT, UPDATE, DELETE ON plan_level, boundary, finding TO {{.role}};

---- create above / drop below ----

DROP TABLE attribution;

DROP TABLE finding;

DROP TABLE boundary;

DROP TABLE plan_level;

DROP TABLE plan;
