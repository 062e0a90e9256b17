-- The city's feed: seq is taken from the one row of feed, last in each transaction, so order is commit order without holes.
CREATE TABLE feed (
    one boolean PRIMARY KEY CHECK (one),
    epoch integer NOT NULL CHECK (epoch > 0),
    seq bigint NOT NULL CHECK (seq >= 0),
    -- Where the chain of audit ends. That they cannot be null refuses a writer who takes another row for the last.
    audit_seq bigint NOT NULL CHECK (audit_seq >= 0),
    audit_mac bytea NOT NULL,
    audit_sum bytea NOT NULL
);

INSERT INTO feed (one, epoch, seq, audit_seq, audit_mac, audit_sum) VALUES (true, 1, 0, 0, '', '');

-- Ids, numbers and codes only: never names, phones, free text or points. Partitions are made ahead by the owner.
CREATE TABLE event (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL
) PARTITION BY RANGE (seq);

CREATE TABLE event_0 PARTITION OF event FOR VALUES FROM (0) TO (4194304);

CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM (4194304) TO (8388608);

GRANT SELECT ON feed TO {{.role}};

GRANT UPDATE (seq, audit_seq, audit_mac, audit_sum) ON feed TO {{.role}};

GRANT SELECT, INSERT ON event TO {{.role}};

---- create above / drop below ----

DROP TABLE event;

DROP TABLE feed;
