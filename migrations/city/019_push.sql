-- Notices on people's devices by Web Push.

-- The key pair by which push services know the city (VAPID, RFC 8292). It is made once and stays: browsers bind what they allow to it. n is
-- 1, so that there is one at most; secret is sealed.
CREATE TABLE push_key (
    n smallint PRIMARY KEY CHECK (n = 1),
    public bytea NOT NULL CHECK (octet_length(public) = 65),
    secret bytea NOT NULL,
    made_at timestamptz NOT NULL
);

-- A device that is told. endpoint is the SHA-256 of the push service's address for it; sealed are that address and the keys for which is
-- encrypted: who has them could write to the device. session_id is the session in which the device was last named, which may have run
-- out since; said_at when that was. failing_since is when the first of the tries failed since the last that did not, why how the last
-- one failed, in a code.
CREATE TABLE push_subscription (
    id uuid PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES account (person_id),
    session_id uuid NOT NULL,
    endpoint bytea NOT NULL UNIQUE CHECK (octet_length(endpoint) = 32),
    sealed bytea NOT NULL,
    host text NOT NULL CHECK (host ~ '^[^[:cntrl:][:space:]]+$'),
    agent text NOT NULL,
    language text NOT NULL CHECK (language IN ('zh', 'en')),
    made_at timestamptz NOT NULL,
    said_at timestamptz NOT NULL,
    sent_at timestamptz,
    failing_since timestamptz,
    failures integer NOT NULL CHECK (failures >= 0),
    why text CHECK (why ~ '^[a-z_]{1,40}$')
);

CREATE INDEX push_subscription_person ON push_subscription (person_id);

CREATE INDEX push_subscription_session ON push_subscription (session_id);

-- Of what somebody wants to be told on their devices; without a row: see notice.DefaultChoice.
ALTER TABLE notice_choice ADD COLUMN push_amber boolean NOT NULL DEFAULT false;

ALTER TABLE notice_choice ADD COLUMN push_red boolean NOT NULL DEFAULT true;

ALTER TABLE notice_choice ADD COLUMN push_supervise boolean NOT NULL DEFAULT true;

GRANT SELECT, INSERT ON push_key TO {{.role}};

GRANT UPDATE (secret) ON push_key TO {{.role}};

GRANT SELECT, INSERT, UPDATE, DELETE ON push_subscription TO {{.role}};

---- create above / drop below ----

ALTER TABLE notice_choice DROP COLUMN push_supervise;

ALTER TABLE notice_choice DROP COLUMN push_red;

ALTER TABLE notice_choice DROP COLUMN push_amber;

DROP TABLE push_subscription, push_key;
