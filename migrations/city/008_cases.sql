-- What becomes of reports: what decides (the regime), the cases, their acts and clocks.

-- The one-stop list, the rules of assignment and the working calendar, each in versions. A published document never changes;
-- of each kind the last one whose moment has come is in force. Of a kind one draft is there at a time; edits counts its saves.
CREATE TABLE regime (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('catalogue', 'rules', 'calendar')),
    state text NOT NULL CHECK (state IN ('draft', 'published')),
    content jsonb NOT NULL,
    edits integer NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by uuid,
    published_at timestamptz,
    in_force_from timestamptz,
    CHECK ((state = 'published') = (published_at IS NOT NULL)),
    CHECK ((state = 'published') = (in_force_from IS NOT NULL))
);

CREATE UNIQUE INDEX regime_draft ON regime (kind) WHERE state = 'draft';

CREATE UNIQUE INDEX regime_in_force ON regime (kind, in_force_from) WHERE state = 'published';

GRANT SELECT, INSERT, DELETE ON regime TO {{.role}};

GRANT UPDATE (state, content, edits, changed_at, changed_by, published_at, in_force_from) ON regime TO {{.role}};

-- A report's case (part 0), and what was split off it or given out as a task. state, clocks and all the rest follow from
-- what was opened and the acts since; the row is the last value, for lists and sweeps. version counts the acts. catalogue_id
-- is the list it was opened under, rule the line of rules_id by which unit_id was chosen (0: none fitted), words_zh and
-- words_en say why. amber_at and due_at are those of the first of its running clocks to come.
CREATE TABLE cases (
    report_num bigint NOT NULL REFERENCES report (num),
    part smallint NOT NULL CHECK (part >= 0),
    parent smallint,
    task boolean NOT NULL,
    state text NOT NULL CHECK (state IN ('reported', 'confirming', 'self_settled', 'accepted', 'filed', 'dispatched', 'returned', 'received',
        'disposing', 'suspended', 'fed_back', 'rework', 'verified', 'closed', 'evaluated', 'rejected', 'merged', 'voided')),
    version integer NOT NULL CHECK (version >= 0),
    item text NOT NULL REFERENCES item (code),
    catalogue_id bigint NOT NULL REFERENCES regime (id),
    rules_id bigint NOT NULL REFERENCES regime (id),
    rule integer NOT NULL CHECK (rule >= 0),
    unit_id bigint NOT NULL REFERENCES unit (id),
    supporting bigint[] NOT NULL,
    words_zh text NOT NULL CHECK (words_zh <> ''),
    words_en text NOT NULL CHECK (words_en <> ''),
    returned_by bigint[] NOT NULL,
    handler uuid REFERENCES person (id),
    done_by uuid REFERENCES person (id),
    opened_at timestamptz NOT NULL,
    dispatched_at timestamptz,
    closed_at timestamptz,
    settled_by text CHECK (settled_by IN ('village_onsite', 'town_team', 'committee')),
    extensions smallint NOT NULL CHECK (extensions BETWEEN 0 AND 2),
    asked jsonb,
    merged_num bigint,
    merged_part smallint,
    object text CHECK (object ~ '^[^[:cntrl:]]{1,200}$'),
    rating smallint CHECK (rating BETWEEN 1 AND 5),
    amber_at timestamptz,
    due_at timestamptz,
    PRIMARY KEY (report_num, part),
    FOREIGN KEY (report_num, parent) REFERENCES cases (report_num, part),
    FOREIGN KEY (merged_num, merged_part) REFERENCES cases (report_num, part),
    CHECK ((part = 0) = (parent IS NULL) AND parent < part),
    CHECK (part > 0 OR NOT task),
    CHECK ((merged_num IS NULL) = (merged_part IS NULL) AND (state = 'merged') = (merged_num IS NOT NULL)),
    CHECK ((state IN ('closed', 'evaluated')) = (closed_at IS NOT NULL))
);

CREATE INDEX cases_due ON cases (due_at, report_num, part) WHERE due_at IS NOT NULL;

CREATE INDEX cases_unit_due ON cases (unit_id, due_at, report_num, part) WHERE due_at IS NOT NULL;

CREATE INDEX cases_merged ON cases (merged_num, merged_part) WHERE merged_num IS NOT NULL;

-- What was done with a case, in order: n is the version that the act made. key makes an act that is sent twice one act.
CREATE TABLE case_act (
    report_num bigint NOT NULL,
    part smallint NOT NULL,
    n integer NOT NULL CHECK (n > 0),
    at timestamptz NOT NULL,
    act text NOT NULL CHECK (act ~ '^[a-z_]{1,40}$'),
    was text NOT NULL,
    is_now text NOT NULL,
    person_id uuid REFERENCES person (id),
    post_id bigint REFERENCES post (id),
    reason text CHECK (length(reason) <= 2000),
    detail jsonb NOT NULL,
    key uuid UNIQUE,
    PRIMARY KEY (report_num, part, n),
    FOREIGN KEY (report_num, part) REFERENCES cases (report_num, part)
);

-- The clocks of a case, in the order in which they were started. marks are what was done with a clock, from which the rest
-- follows; amber_at and due_at are foretold, or were passed. next_at is when the clock has to be told of: at amber, then at
-- due; null when nothing is to come. late: it was stopped after its due.
CREATE TABLE clock (
    report_num bigint NOT NULL,
    part smallint NOT NULL,
    n smallint NOT NULL CHECK (n >= 0),
    kind text NOT NULL CHECK (kind IN ('desk', 'confirm', 'self_settle', 'receive', 'first', 'disposal', 'verify', 'review')),
    stage smallint NOT NULL CHECK (stage >= 0),
    marks jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    stopped_at timestamptz,
    amber_at timestamptz,
    due_at timestamptz,
    next_at timestamptz,
    late boolean NOT NULL,
    PRIMARY KEY (report_num, part, n),
    FOREIGN KEY (report_num, part) REFERENCES cases (report_num, part)
);

CREATE INDEX clock_next ON clock (next_at) WHERE next_at IS NOT NULL;

-- How far the cases of reports that were kept without one are opened, by number.
CREATE TABLE case_opening (
    one boolean PRIMARY KEY CHECK (one),
    next_num bigint NOT NULL
);

INSERT INTO case_opening (one, next_num) VALUES (true, 1);

GRANT SELECT, UPDATE ON case_opening TO {{.role}};

GRANT SELECT, INSERT, UPDATE ON cases, clock TO {{.role}};

GRANT SELECT, INSERT ON case_act TO {{.role}};

---- create above / drop below ----

DROP TABLE case_opening;

DROP TABLE clock;

DROP TABLE case_act;

DROP TABLE cases;

DROP TABLE regime;
