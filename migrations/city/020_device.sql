-- What only the phone that took a report knows: when it was where the report says, put right by how far its clock was ahead, and where it
-- placed the report itself, under which plan. It goes when the report is made anonymous.
CREATE TABLE report_device (
    report_num bigint PRIMARY KEY REFERENCES report (num),
    position_at timestamptz,
    ahead_ms bigint NOT NULL,
    plan text CHECK (length(plan) BETWEEN 1 AND 64),
    grid text CHECK (length(grid) BETWEEN 1 AND 64),
    sure boolean NOT NULL,
    CHECK (plan IS NOT NULL OR (grid IS NULL AND NOT sure))
);

GRANT SELECT, INSERT, DELETE ON report_device TO {{.role}};

-- SHA-256 of the picture as the camera took it, by the word of who has sent it: what came may be smaller.
ALTER TABLE photo ADD COLUMN taken_digest bytea CHECK (octet_length(taken_digest) = 32);

---- create above / drop below ----

ALTER TABLE photo DROP COLUMN taken_digest;

DROP TABLE report_device;
