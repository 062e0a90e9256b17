-- The desk's queue: what is open, views that are kept, and acts on many cases that wait before they are done.

-- Which cases are open, to load a city's board: a small part of all of them.
CREATE INDEX cases_open ON cases (report_num, part) WHERE state NOT IN ('closed', 'evaluated', 'rejected', 'merged', 'voided');

-- An act that is to be done with many cases at once. It waits until starts_at and may be cancelled until a node has begun with
-- it: that one holds it until held_until, and says anew, while it works, that it is there. What is asked of each case is in ask;
-- made_by is who answers for it, by the posts held when it is done, level and code the territory of the post by which it was made.
CREATE TABLE batch (
    id uuid PRIMARY KEY,
    acts text[] NOT NULL CHECK (cardinality(acts) BETWEEN 1 AND 10),
    ask jsonb NOT NULL,
    content bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'cancelled')),
    made_at timestamptz NOT NULL,
    made_by uuid NOT NULL REFERENCES person (id),
    address text NOT NULL,
    level text,
    code text,
    starts_at timestamptz NOT NULL,
    holder uuid,
    held_until timestamptz,
    ended_at timestamptz,
    cancelled_by uuid REFERENCES person (id),
    CHECK ((state = 'running') = (holder IS NOT NULL) AND (holder IS NULL) = (held_until IS NULL)),
    CHECK ((state IN ('done', 'cancelled')) = (ended_at IS NOT NULL)),
    CHECK ((state = 'cancelled') = (cancelled_by IS NOT NULL))
);

CREATE INDEX batch_open ON batch (starts_at, id) WHERE state IN ('waiting', 'running');

CREATE INDEX batch_made ON batch (made_at DESC, id);

-- The cases of a batch, in order, as they were when it was made. outcome: null as long as nothing has been done with it; left_out
-- and failed say why by code and words.
CREATE TABLE batch_case (
    batch_id uuid NOT NULL REFERENCES batch (id),
    n smallint NOT NULL CHECK (n BETWEEN 0 AND 499),
    report_num bigint NOT NULL,
    part smallint NOT NULL,
    version integer NOT NULL CHECK (version >= 0),
    outcome text CHECK (outcome IN ('done', 'left_out', 'failed')),
    why text CHECK (length(why) <= 64),
    words text CHECK (length(words) <= 500),
    PRIMARY KEY (batch_id, n),
    UNIQUE (batch_id, report_num, part),
    FOREIGN KEY (report_num, part) REFERENCES cases (report_num, part),
    CHECK ((outcome IN ('left_out', 'failed')) = (why IS NOT NULL))
);

-- Views of the queue that are kept: a person's own, or those of a unit or of the city, which whoever is of it has too. place is
-- their order among those of the same owner.
CREATE TABLE queue_view (
    id uuid PRIMARY KEY,
    person_id uuid REFERENCES person (id),
    unit_id bigint REFERENCES unit (id),
    name text NOT NULL CHECK (name ~ '^[^[:cntrl:]]{1,60}$'),
    content jsonb NOT NULL,
    place integer NOT NULL CHECK (place BETWEEN 0 AND 999),
    changed_at timestamptz NOT NULL,
    changed_by uuid NOT NULL REFERENCES person (id),
    CHECK (person_id IS NULL OR unit_id IS NULL)
);

CREATE INDEX queue_view_person ON queue_view (person_id, place, id);

GRANT SELECT, INSERT ON batch, batch_case TO {{.role}};

GRANT UPDATE (state, holder, held_until, ended_at, cancelled_by) ON batch TO {{.role}};

GRANT UPDATE (outcome, why, words) ON batch_case TO {{.role}};

GRANT DELETE ON batch, batch_case TO {{.role}};

GRANT SELECT, INSERT, UPDATE, DELETE ON queue_view TO {{.role}};

---- create above / drop below ----

DROP TABLE queue_view;

DROP TABLE batch_case;

DROP TABLE batch;

DROP INDEX cases_open;
