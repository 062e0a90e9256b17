-- What residents tell: codes that confirm a phone number or an address, links by which a report is followed, and messages
-- that carry both. recipient, here and below, is a MAC of the number or address, the same as in contact.

-- One code a recipient, the last that was asked for; hash is a MAC of it. report_id is the report that it was used for.
CREATE TABLE resident_code (
    recipient bytea PRIMARY KEY CHECK (octet_length(recipient) = 32),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    tries integer NOT NULL CHECK (tries >= 0),
    report_id uuid
);

CREATE INDEX resident_code_expires ON resident_code (expires_at);

-- hash is the SHA-256 of what the link holds.
CREATE TABLE follow (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    report_num bigint NOT NULL REFERENCES report (num),
    made_at timestamptz NOT NULL
);

CREATE INDEX follow_report ON follow (report_num);

-- Messages on their way. sealed is recipient and words, sealed by the master key; it is wiped once the message was sent or
-- given up. next_at is when it is tried (again), until when it is given up.
CREATE TABLE message (
    id uuid PRIMARY KEY,
    channel text NOT NULL CHECK (channel IN ('sms', 'email')),
    recipient bytea CHECK (octet_length(recipient) = 32),
    sealed bytea,
    made_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    until timestamptz NOT NULL,
    tries integer NOT NULL CHECK (tries >= 0),
    sent_at timestamptz,
    failed_at timestamptz,
    CHECK ((sealed IS NULL) = (num_nonnulls(sent_at, failed_at) = 1)),
    CHECK (sealed IS NOT NULL OR recipient IS NULL)
);

CREATE INDEX message_next ON message (next_at) WHERE sealed IS NOT NULL;

CREATE INDEX message_recipient ON message (recipient) WHERE recipient IS NOT NULL;

CREATE INDEX message_made ON message (made_at);

-- In a demo messages go nowhere but here, where administrators read them.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    channel text NOT NULL CHECK (channel IN ('sms', 'email')),
    recipient bytea CHECK (octet_length(recipient) = 32),
    address text NOT NULL,
    subject text NOT NULL,
    words text NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON resident_code, follow, message, outbox TO {{.role}};

---- create above / drop below ----

DROP TABLE outbox;

DROP TABLE message;

DROP TABLE follow;

DROP TABLE resident_code;
