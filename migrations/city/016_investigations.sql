-- From hotspots to investigations: screenings, the proposals they make with the reports that are their evidence, and the orders by
-- which somebody goes.

-- Until when a post's certificate is in force: orders refer to it, and follow it. Null: it carries none that has an end.
ALTER TABLE post ADD COLUMN certified_until date
        GENERATED ALWAYS AS (CASE WHEN certificate IS NOT NULL AND certificate_until IS NOT NULL THEN least(certificate_until, ends) END) STORED,
    ADD CONSTRAINT post_certified UNIQUE (id, person_id, begins, certified_until);

-- A screening with what it was made of, so that it can be made again: the feed's position, the plan, the list, parameters, seed and
-- the cut (numbers and codes, compressed); result is what came of it, digest its SHA-256. week is the ISO week of the weekly one, made
-- once whatever nodes do; person_id who asked for another. proposals were found, made are those that were kept: of the others another
-- screening had the evidence first. why says why there are none.
CREATE TABLE screening (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    week text UNIQUE CHECK (week ~ '^[0-9]{4}-W[0-9]{2}$'),
    at timestamptz NOT NULL,
    person_id uuid REFERENCES person (id),
    epoch integer NOT NULL,
    seq bigint NOT NULL,
    plan_id bigint REFERENCES plan (id),
    list_id bigint NOT NULL REFERENCES regime (id),
    level text NOT NULL,
    days integer NOT NULL,
    least integer NOT NULL,
    q double precision NOT NULL,
    seed bigint NOT NULL,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    reports integer NOT NULL,
    units integer NOT NULL,
    proposals integer NOT NULL,
    made integer NOT NULL,
    why text CHECK (why IN ('no_plan', 'no_level', 'no_reports', 'nothing_hot', 'too_few', 'overtaken')),
    took_ms integer NOT NULL,
    cut bytea NOT NULL,
    result bytea NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    CHECK ((made = 0) = (why IS NOT NULL)),
    CHECK (week IS NULL OR person_id IS NULL)
);

-- An investigation that is ordered: a unit goes on a day to places, by two officers at least, whose certificates are in force on that
-- day. The officers' columns are those of their posts and follow them: what would take the certificate away before the day is refused
-- while the order stands. A cancelled order holds nobody: its dates are null. level, units are the places; towns, villages and grids
-- those that they lie in.
CREATE TABLE investigation_order (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('ordered', 'done', 'cancelled')),
    version integer NOT NULL,
    unit_id bigint NOT NULL REFERENCES unit (id),
    supporting bigint[] NOT NULL,
    day date NOT NULL,
    level text NOT NULL,
    units text[] NOT NULL CHECK (cardinality(units) > 0),
    towns text[] NOT NULL,
    villages text[] NOT NULL,
    grids text[] NOT NULL,
    objects text[] NOT NULL,
    items text[] NOT NULL CHECK (cardinality(items) > 0),
    officer1_post bigint NOT NULL REFERENCES post (id),
    officer1 uuid NOT NULL REFERENCES person (id),
    officer1_begins date,
    officer1_until date,
    officer2_post bigint NOT NULL REFERENCES post (id),
    officer2 uuid NOT NULL REFERENCES person (id),
    officer2_begins date,
    officer2_until date,
    live boolean NOT NULL GENERATED ALWAYS AS (state <> 'cancelled') STORED,
    ordered_at timestamptz NOT NULL,
    ordered_by uuid NOT NULL REFERENCES person (id),
    ended_at timestamptz,
    found boolean,
    findings text CHECK (length(findings) <= 2000),
    visited text[],
    UNIQUE (id, day, live),
    FOREIGN KEY (officer1_post, officer1, officer1_begins, officer1_until) REFERENCES post (id, person_id, begins, certified_until) ON UPDATE CASCADE,
    FOREIGN KEY (officer2_post, officer2, officer2_begins, officer2_until) REFERENCES post (id, person_id, begins, certified_until) ON UPDATE CASCADE,
    CONSTRAINT order_two_people CHECK (officer1 <> officer2),
    CONSTRAINT order_first_certified CHECK (state = 'cancelled'
        OR (officer1_begins IS NOT NULL AND officer1_until IS NOT NULL AND day BETWEEN officer1_begins AND officer1_until)),
    CONSTRAINT order_second_certified CHECK (state = 'cancelled'
        OR (officer2_begins IS NOT NULL AND officer2_until IS NOT NULL AND day BETWEEN officer2_begins AND officer2_until)),
    CHECK ((state = 'ordered') = (ended_at IS NULL)),
    CHECK ((state = 'done') = (found IS NOT NULL) AND (state = 'done') = (findings IS NOT NULL) AND (state = 'done') = (visited IS NOT NULL))
);

CREATE INDEX investigation_order_day ON investigation_order (day, id);

CREATE INDEX investigation_order_unit ON investigation_order (unit_id, day, id);

CREATE INDEX investigation_order_first ON investigation_order (officer1_post);

CREATE INDEX investigation_order_second ON investigation_order (officer2_post);

-- Officers beyond the two, under the same rule.
CREATE TABLE order_officer (
    order_id bigint NOT NULL,
    person_id uuid NOT NULL REFERENCES person (id),
    post_id bigint NOT NULL REFERENCES post (id),
    begins date,
    until date,
    day date NOT NULL,
    live boolean NOT NULL,
    PRIMARY KEY (order_id, person_id),
    FOREIGN KEY (order_id, day, live) REFERENCES investigation_order (id, day, live) ON UPDATE CASCADE,
    FOREIGN KEY (post_id, person_id, begins, until) REFERENCES post (id, person_id, begins, certified_until) ON UPDATE CASCADE,
    CONSTRAINT order_other_certified CHECK (NOT live OR (begins IS NOT NULL AND until IS NOT NULL AND day BETWEEN begins AND until))
);

CREATE INDEX order_officer_post ON order_officer (post_id);

-- What was done with an order, in order: n is the version that the act made. detail has days and numbers of posts and proposals.
CREATE TABLE order_act (
    order_id bigint NOT NULL REFERENCES investigation_order (id),
    n integer NOT NULL CHECK (n > 0),
    at timestamptz NOT NULL,
    act text NOT NULL CHECK (act IN ('order', 'change', 'done', 'cancel')),
    person_id uuid NOT NULL REFERENCES person (id),
    post_id bigint REFERENCES post (id),
    reason text CHECK (length(reason) <= 2000),
    detail jsonb NOT NULL,
    PRIMARY KEY (order_id, n)
);

-- A proposal of a screening, n its place in it: units of a level within one town, in which an item was high-frequency. facts are the
-- screening's, as it found them. state and version are the last value of what was decided.
CREATE TABLE proposal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    screening_id bigint NOT NULL REFERENCES screening (id),
    n integer NOT NULL,
    item text NOT NULL REFERENCES item (code),
    level text NOT NULL,
    town text NOT NULL,
    villages text[] NOT NULL,
    grids text[] NOT NULL,
    units text[] NOT NULL CHECK (cardinality(units) > 0),
    told integer NOT NULL,
    found integer NOT NULL,
    expected double precision NOT NULL,
    facts jsonb NOT NULL,
    made_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'declined', 'ordered', 'done')),
    version integer NOT NULL,
    order_id bigint REFERENCES investigation_order (id),
    UNIQUE (screening_id, n),
    CHECK ((state IN ('ordered', 'done')) = (order_id IS NOT NULL))
);

CREATE INDEX proposal_state ON proposal (state, id);

CREATE INDEX proposal_order ON proposal (order_id) WHERE order_id IS NOT NULL;

-- A report is evidence once, whatever runs at once.
CREATE TABLE proposal_evidence (
    report_num bigint PRIMARY KEY REFERENCES report (num),
    proposal_id bigint NOT NULL REFERENCES proposal (id)
);

CREATE INDEX proposal_evidence_proposal ON proposal_evidence (proposal_id, report_num);

-- Proposals that are to be merged, in both directions.
CREATE TABLE proposal_related (
    proposal_id bigint NOT NULL REFERENCES proposal (id),
    other_id bigint NOT NULL REFERENCES proposal (id),
    PRIMARY KEY (proposal_id, other_id)
);

-- What was decided about a proposal, in order: n is the version that it made.
CREATE TABLE proposal_act (
    proposal_id bigint NOT NULL REFERENCES proposal (id),
    n integer NOT NULL CHECK (n > 0),
    at timestamptz NOT NULL,
    act text NOT NULL CHECK (act IN ('approve', 'decline', 'reconsider', 'done', 'reopen')),
    person_id uuid NOT NULL REFERENCES person (id),
    post_id bigint REFERENCES post (id),
    reason text CHECK (length(reason) <= 2000),
    PRIMARY KEY (proposal_id, n)
);

GRANT SELECT, INSERT ON screening, proposal, proposal_evidence, proposal_related, proposal_act, order_act TO {{.role}};

GRANT UPDATE (state, version, order_id) ON proposal TO {{.role}};

GRANT SELECT, INSERT, UPDATE ON investigation_order TO {{.role}};

GRANT SELECT, INSERT, UPDATE, DELETE ON order_officer TO {{.role}};

---- create above / drop below ----

DROP TABLE proposal_act;

DROP TABLE proposal_related;

DROP TABLE proposal_evidence;

DROP TABLE proposal;

DROP TABLE order_act;

DROP TABLE order_officer;

DROP TABLE investigation_order;

DROP TABLE screening;

ALTER TABLE post DROP CONSTRAINT post_certified, DROP COLUMN certified_until;
