-- What came too late: acts that were done on a phone without a line, while somebody else was quicker.

-- When an act was done, by the phone's clock, put right: information, by which nothing is counted. Null: nobody said, or it cannot be true.
ALTER TABLE case_act ADD COLUMN done_at timestamptz CHECK (done_at <= at);

-- An act that came when the case had moved on: it changed nothing, neither state nor clock nor version, and is kept as what it says. n counts
-- those of a case. seen is the version of the case on which it was done, was the state then, after the version when it came. It is no row of
-- case_act, of which a case is the fold.
CREATE TABLE late_act (
    report_num bigint NOT NULL,
    part smallint NOT NULL,
    n integer NOT NULL CHECK (n > 0),
    at timestamptz NOT NULL,
    done_at timestamptz CHECK (done_at <= at),
    seen integer NOT NULL CHECK (seen >= 0),
    was text NOT NULL,
    after integer NOT NULL CHECK (after > seen),
    act text NOT NULL CHECK (act ~ '^[a-z_]{1,40}$'),
    person_id uuid NOT NULL REFERENCES person (id),
    post_id bigint REFERENCES post (id),
    reason text CHECK (length(reason) <= 2000),
    detail jsonb NOT NULL,
    key uuid NOT NULL UNIQUE,
    PRIMARY KEY (report_num, part, n),
    FOREIGN KEY (report_num, part) REFERENCES cases (report_num, part)
);

CREATE INDEX late_act_person ON late_act (person_id, at);

-- n below 0: what a photo shows is the late act -n.
ALTER TABLE photo_use DROP CONSTRAINT photo_use_n_check;

-- A notice of an act that came too late is of a case, and of none of its clocks.
ALTER TABLE notice DROP CONSTRAINT notice_step_check, DROP CONSTRAINT notice_check,
    ADD CONSTRAINT notice_step_check CHECK (step IN ('amber', 'red', 'supervise', 'webhook', 'late')),
    ADD CONSTRAINT notice_of CHECK (CASE step
        WHEN 'webhook' THEN num_nulls(report_num, part, clock, round) = 4
        WHEN 'late' THEN num_nulls(report_num, part) = 0 AND num_nulls(clock, round) = 2
        ELSE num_nulls(report_num, part, clock, round) = 0 END),
    ADD FOREIGN KEY (report_num, part) REFERENCES cases (report_num, part);

ALTER TABLE notice_choice ADD COLUMN late boolean NOT NULL DEFAULT false, ADD COLUMN push_late boolean NOT NULL DEFAULT true;

GRANT SELECT, INSERT ON late_act TO {{.role}};

GRANT UPDATE (reason, detail) ON late_act TO {{.role}};

---- create above / drop below ----

ALTER TABLE notice_choice DROP COLUMN push_late, DROP COLUMN late;

DELETE FROM notice WHERE step = 'late';

ALTER TABLE notice DROP CONSTRAINT notice_report_num_part_fkey, DROP CONSTRAINT notice_of, DROP CONSTRAINT notice_step_check,
    ADD CONSTRAINT notice_step_check CHECK (step IN ('amber', 'red', 'supervise', 'webhook')),
    ADD CONSTRAINT notice_check CHECK (num_nulls(report_num, part, clock, round) IN (0, 4));

DELETE FROM photo_use WHERE n < 0;

ALTER TABLE photo_use ADD CONSTRAINT photo_use_n_check CHECK (n >= 0);

DROP TABLE late_act;

ALTER TABLE case_act DROP COLUMN done_at;
