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

---- create above / drop below ----

DROP TABLE regime;
