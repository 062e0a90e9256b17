-- Acts on record, in a chain: each row's MAC covers the row and the MAC before it. The head is in feed. Ids, codes and
-- dates only. before and after are json and not jsonb: the MAC covers their bytes.
CREATE TABLE audit (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    at timestamptz NOT NULL,
    person uuid,
    post bigint CHECK (post > 0),
    act text COLLATE "C" NOT NULL CHECK (octet_length(act) BETWEEN 1 AND 64),
    subject text COLLATE "C" NOT NULL CHECK (octet_length(subject) BETWEEN 1 AND 800),
    before json,
    after json,
    address text CHECK (octet_length(address) BETWEEN 1 AND 100),
    key text COLLATE "C" NOT NULL CHECK (octet_length(key) IN (0, 8)),
    mac bytea NOT NULL CHECK (octet_length(mac) = 32)
);

CREATE INDEX audit_person ON audit (person, seq) WHERE person IS NOT NULL;

CREATE INDEX audit_act ON audit (act, seq);

CREATE INDEX audit_subject ON audit (subject, seq);

CREATE INDEX audit_at ON audit USING brin (at);

-- What was written stays: the service adds and reads, no more.
GRANT SELECT, INSERT ON audit TO {{.role}};

---- create above / drop below ----

DROP TABLE audit;
