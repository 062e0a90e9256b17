-- Who told reports: each person's name, phone, e-mail and home point (lon, lat) are sealed by a key of the person's own,
-- data_key, which is sealed in turn by the master key key_id. Who is erased loses that key.
-- phone_index and email_index are MACs by which a person is found; told are MACs of what is known, by which a report that
-- brings nothing new is told from one that does. id is a UUID v7.
CREATE TABLE contact (
    id uuid PRIMARY KEY,
    data_key bytea,
    key_id text COLLATE "C" CHECK (key_id ~ '^[0-9a-f]{8}$'),
    name bytea,
    phone bytea,
    email bytea,
    home bytea,
    phone_index bytea CHECK (octet_length(phone_index) = 32),
    email_index bytea CHECK (octet_length(email_index) = 32),
    told bytea[],
    created_at timestamptz NOT NULL,
    erased_at timestamptz,
    CHECK ((erased_at IS NULL) = (data_key IS NOT NULL)),
    CHECK ((data_key IS NULL) = (key_id IS NULL)),
    CHECK (erased_at IS NULL OR num_nonnulls(name, phone, email, home, phone_index, email_index, told) = 0)
);

-- Partial, so that a change of them is no change of a key, which would stand against all who link a report to the person.
CREATE UNIQUE INDEX contact_phone ON contact (phone_index) WHERE phone_index IS NOT NULL;

CREATE UNIQUE INDEX contact_email ON contact (email_index) WHERE email_index IS NOT NULL;

CREATE INDEX contact_key ON contact (key_id, id) WHERE key_id IS NOT NULL;

-- Which person told a report.
CREATE TABLE reporter (
    report_num bigint PRIMARY KEY REFERENCES report (num),
    contact_id uuid NOT NULL REFERENCES contact (id)
);

CREATE INDEX reporter_contact ON reporter (contact_id, report_num);

GRANT SELECT, INSERT ON contact, reporter TO {{.role}};

GRANT UPDATE (data_key, key_id, name, phone, email, home, phone_index, email_index, told, erased_at) ON contact TO {{.role}};

-- Erasing empties what may name the person.
GRANT UPDATE (reason) ON position_set TO {{.role}};

---- create above / drop below ----

REVOKE UPDATE (reason) ON position_set FROM {{.role}};

DROP TABLE reporter;

DROP TABLE contact;
