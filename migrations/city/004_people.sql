-- Who works here: units, people, and the posts from which rights follow; their accounts, sessions and tokens.

CREATE TABLE unit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('town_team', 'line_department', 'enforcement_committee', 'command_center', 'x_force')),
    name text NOT NULL CHECK (name ~ '^[^[:cntrl:]]{1,100}$'),
    name_en text CHECK (name_en ~ '^[^[:cntrl:]]{1,200}$'),
    level text CHECK (level IN ('city', 'town', 'village', 'grid', 'microgrid')),
    code text CHECK (code ~ '^[^[:cntrl:]]{1,64}$'),
    closed_at timestamptz,
    version integer NOT NULL,
    UNIQUE (kind, name),
    CHECK ((level IS NULL) = (code IS NULL)),
    CHECK (level IS NOT NULL OR kind IN ('line_department', 'x_force'))
);

-- id is a UUID v7. An erased person keeps the row, without a word of who it was.
CREATE TABLE person (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '^[^[:cntrl:]]{0,100}$'),
    phone text CHECK (phone ~ '^[+0-9][0-9 -]{2,30}$'),
    email text CHECK (email ~ '^[^[:cntrl:][:space:]@]+@[^[:cntrl:][:space:]@]+$' AND length(email) <= 254),
    machine boolean NOT NULL,
    created_at timestamptz NOT NULL,
    erased_at timestamptz,
    version integer NOT NULL,
    CHECK (erased_at IS NOT NULL OR name <> ''),
    CHECK (erased_at IS NULL OR (name = '' AND phone IS NULL AND email IS NULL))
);

CREATE INDEX person_phone ON person (phone);

CREATE INDEX person_name ON person (name, id);

-- A role in a jurisdiction or in a unit, from the day begins to the day ends, both among them. One that ends the day before
-- it begins was taken back and is never held. The same post is not held twice at a time.
CREATE TABLE post (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id uuid NOT NULL REFERENCES person (id),
    role text NOT NULL CHECK (role IN ('resident', 'volunteer', 'microgrid_leader', 'grid_leader', 'grid_worker', 'auxiliary', 'officer',
        'unit_member', 'unit_head', 'duty_leader', 'village_secretary', 'stationed_officer', 'desk', 'centre_head', 'planner', 'committee',
        'town_leader', 'pro_bono_lawyer', 'mediator', 'administrator', 'hotline', 'sensor', 'machine')),
    unit_id bigint REFERENCES unit (id),
    level text CHECK (level IN ('city', 'town', 'village', 'grid', 'microgrid')),
    code text CHECK (code ~ '^[^[:cntrl:]]{1,64}$'),
    begins date NOT NULL,
    ends date CHECK (ends >= begins - 1),
    certificate text CHECK (certificate ~ '^[^[:cntrl:]]{1,64}$'),
    certificate_until date,
    version integer NOT NULL,
    CHECK ((level IS NULL) = (code IS NULL)),
    CHECK ((unit_id IS NULL) <> (level IS NULL)),
    CHECK (role <> 'officer' OR (certificate IS NOT NULL AND certificate_until IS NOT NULL)),
    EXCLUDE USING gist (person_id WITH =, role WITH =, (coalesce('unit ' || unit_id::text, level || ' ' || code)) WITH =,
        daterange(begins, ends + 1) WITH &&)
);

CREATE INDEX post_person ON post (person_id);

CREATE INDEX post_unit ON post (unit_id);

CREATE INDEX post_code ON post (code);

-- How a person signs in. password is an argon2id hash, NULL for who has none: machines. totp is sealed; it counts once it
-- is confirmed. totp_step is the last step of 30 s whose code was used. issuer and subject are by what the city's identity
-- provider knows the person; where the subject is another claim than sub, its name follows the issuer after a #.
CREATE TABLE account (
    person_id uuid PRIMARY KEY REFERENCES person (id),
    login text NOT NULL UNIQUE CHECK (login ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    password text,
    password_at timestamptz NOT NULL,
    must_change boolean NOT NULL,
    demo boolean NOT NULL,
    totp bytea,
    totp_confirmed_at timestamptz,
    totp_step bigint NOT NULL,
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    issuer text CHECK (issuer ~ '^[^[:cntrl:]]+$' AND length(issuer) <= 600),
    subject text CHECK (subject ~ '^[^[:cntrl:]]{1,255}$'),
    UNIQUE (issuer, subject),
    CHECK (totp_confirmed_at IS NULL OR totp IS NOT NULL),
    CHECK ((issuer IS NULL) = (subject IS NULL))
);

-- hash, here and below, is the SHA-256 of what the client holds. vouched: no password was asked, the identity provider said
-- who it is; mfa: it asked for a second factor itself.
CREATE TABLE session (
    id uuid PRIMARY KEY,
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    person_id uuid NOT NULL REFERENCES account (person_id),
    made_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    address text NOT NULL,
    agent text NOT NULL,
    vouched boolean NOT NULL DEFAULT false,
    mfa boolean NOT NULL DEFAULT false
);

CREATE INDEX session_person ON session (person_id);

CREATE INDEX session_ends ON session (ends_at);

-- From where a person has signed in before: strangers' guesses do not hold up these.
CREATE TABLE device (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    person_id uuid NOT NULL REFERENCES account (person_id),
    made_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
);

CREATE INDEX device_person ON device (person_id);

CREATE TABLE token (
    id uuid PRIMARY KEY,
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    person_id uuid NOT NULL REFERENCES account (person_id),
    name text NOT NULL CHECK (name ~ '^[^[:cntrl:]]{1,100}$'),
    scopes text[] NOT NULL,
    made_at timestamptz NOT NULL,
    seen_at timestamptz,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);

CREATE INDEX token_person ON token (person_id);

CREATE TABLE recovery_code (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    person_id uuid NOT NULL REFERENCES account (person_id),
    used_at timestamptz
);

CREATE INDEX recovery_code_person ON recovery_code (person_id);

-- Who is on the way to the identity provider and back. hash is that of the state, browser that of the cookie by which the same
-- browser is known again; secrets, sealed, are the nonce and PKCE's verifier. A row is read once, as it is deleted.
CREATE TABLE oidc_flow (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    browser bytea NOT NULL CHECK (octet_length(browser) = 32),
    secrets bytea NOT NULL,
    issuer text NOT NULL,
    redirect text NOT NULL,
    target text NOT NULL,
    made_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL
);

CREATE INDEX oidc_flow_ends ON oidc_flow (ends_at);

-- For whom the identity provider has vouched, and who still has to give the code of the second factor. link: the account is
-- the provider's identity's once that is done.
CREATE TABLE oidc_pending (
    hash bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    person_id uuid NOT NULL REFERENCES account (person_id),
    issuer text NOT NULL,
    subject text NOT NULL,
    link boolean NOT NULL,
    ends_at timestamptz NOT NULL
);

CREATE INDEX oidc_pending_person ON oidc_pending (person_id);

CREATE TABLE setting (
    key text PRIMARY KEY,
    value jsonb NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON unit, person, post, account, token, setting TO {{.role}};

GRANT SELECT, INSERT, UPDATE, DELETE ON session, device, recovery_code, oidc_flow, oidc_pending TO {{.role}};

---- create above / drop below ----

DROP TABLE setting;

DROP TABLE oidc_pending;

DROP TABLE oidc_flow;

DROP TABLE recovery_code;

DROP TABLE token;

DROP TABLE device;

DROP TABLE session;

DROP TABLE account;

DROP TABLE post;

DROP TABLE person;

DROP TABLE unit;
