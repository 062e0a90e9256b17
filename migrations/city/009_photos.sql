-- Photos. The files lie outside of the database, each named by the SHA-256 of its content; what is known of them is here.

-- Files that are kept, or about to be. claimed_at is when somebody last wanted the file; going_until: it is being deleted, and
-- nobody may rely on it before its row is gone. So a file is never deleted while the same content is put again.
CREATE TABLE photo_blob (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    claimed_at timestamptz NOT NULL,
    going_until timestamptz
);

CREATE INDEX photo_blob_claimed ON photo_blob (claimed_at);

-- id is a UUID v7 of the client's. received bytes of length have come. What the picture says of itself: taken_at, lon, lat
-- (EPSG:4490); timed says by which clock. Null where it says nothing that can be true. settling_until: a process is reading
-- the picture until then.
CREATE TABLE photo (
    id uuid PRIMARY KEY,
    uploaded_by uuid NOT NULL REFERENCES person (id),
    state text NOT NULL CHECK (state IN ('uploading', 'ready', 'refused')),
    refusal text CHECK (refusal ~ '^[a-z_]{1,40}$'),
    length integer NOT NULL CHECK (length BETWEEN 1 AND 20971520),
    received integer NOT NULL CHECK (received BETWEEN 0 AND length),
    made_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    settling_until timestamptz,
    mime text CHECK (mime IN ('image/jpeg', 'image/png', 'image/webp', 'image/heic')),
    width integer CHECK (width > 0),
    height integer CHECK (height > 0),
    taken_at timestamptz,
    timed text CHECK (timed IN ('gps', 'offset', 'zone')),
    lon double precision CHECK (lon BETWEEN -180 AND 180),
    lat double precision CHECK (lat BETWEEN -90 AND 90),
    CHECK ((state = 'refused') = (refusal IS NOT NULL)),
    CHECK ((state = 'ready') = (mime IS NOT NULL)),
    CHECK (state = 'uploading' OR received = length),
    CHECK (num_nulls(mime, width, height) IN (0, 3)),
    CHECK ((taken_at IS NULL) = (timed IS NULL)),
    CHECK ((lon IS NULL) = (lat IS NULL))
);

CREATE INDEX photo_uploader ON photo (uploaded_by, state);

CREATE INDEX photo_changed ON photo (changed_at, id);

-- The files of a photo: the parts as they came, from at_byte on, until it is whole; then the original and what is published.
CREATE TABLE photo_file (
    photo_id uuid NOT NULL REFERENCES photo (id),
    kind text NOT NULL CHECK (kind IN ('part', 'original', 'large', 'thumbnail')),
    at_byte integer NOT NULL CHECK (at_byte >= 0),
    size integer NOT NULL CHECK (size > 0),
    digest bytea NOT NULL REFERENCES photo_blob (digest),
    PRIMARY KEY (photo_id, kind, at_byte),
    CHECK (kind = 'part' OR at_byte = 0)
);

CREATE INDEX photo_file_digest ON photo_file (digest);

-- What a photo shows: a report's case or a part of it, as evidence of its act n; 0: of the report itself.
CREATE TABLE photo_use (
    photo_id uuid NOT NULL REFERENCES photo (id),
    report_num bigint NOT NULL REFERENCES report (num),
    part smallint NOT NULL CHECK (part >= 0),
    n integer NOT NULL CHECK (n >= 0),
    used_by uuid REFERENCES person (id),
    used_at timestamptz NOT NULL,
    PRIMARY KEY (photo_id, report_num, part, n)
);

CREATE INDEX photo_use_report ON photo_use (report_num, part, n);

GRANT SELECT, INSERT, DELETE ON photo_blob, photo, photo_file, photo_use TO {{.role}};

GRANT UPDATE (claimed_at, going_until) ON photo_blob TO {{.role}};

GRANT UPDATE (state, refusal, received, changed_at, settling_until, mime, width, height, taken_at, timed, lon, lat) ON photo TO {{.role}};

---- create above / drop below ----

DROP TABLE photo_use;

DROP TABLE photo_file;

DROP TABLE photo;

DROP TABLE photo_blob;
