-- Voice notes come in, lie and go as photos do, and are rows of the same tables. Of one that is ready ms is how long it lasts; its one
-- file is the sound.
ALTER TABLE photo
    ADD COLUMN kind text NOT NULL DEFAULT 'photo' CHECK (kind IN ('photo', 'voice')),
    ADD COLUMN ms integer CHECK (ms > 0),
    DROP CONSTRAINT photo_mime_check,
    DROP CONSTRAINT photo_check4,
    ADD CONSTRAINT photo_shown CHECK (kind <> 'photo' OR num_nulls(mime, width, height) IN (0, 3) AND ms IS NULL
        AND (mime IS NULL OR mime IN ('image/jpeg', 'image/png', 'image/webp', 'image/heic'))),
    ADD CONSTRAINT photo_heard CHECK (kind <> 'voice' OR num_nulls(mime, ms) IN (0, 2) AND num_nonnulls(width, height, taken_at, lon) = 0
        AND (mime IS NULL OR mime IN ('audio/webm', 'audio/mp4')) AND length <= 2097152);

ALTER TABLE photo_file DROP CONSTRAINT photo_file_kind_check,
    ADD CONSTRAINT photo_file_kind_check CHECK (kind IN ('part', 'original', 'large', 'thumbnail', 'sound'));

GRANT UPDATE (ms) ON photo TO {{.role}};

---- create above / drop below ----

DELETE FROM photo_use WHERE photo_id IN (SELECT id FROM photo WHERE kind = 'voice');

DELETE FROM photo_file WHERE photo_id IN (SELECT id FROM photo WHERE kind = 'voice');

DELETE FROM photo WHERE kind = 'voice';

ALTER TABLE photo_file DROP CONSTRAINT photo_file_kind_check,
    ADD CONSTRAINT photo_file_kind_check CHECK (kind IN ('part', 'original', 'large', 'thumbnail'));

ALTER TABLE photo
    DROP CONSTRAINT photo_heard,
    DROP CONSTRAINT photo_shown,
    DROP COLUMN ms,
    DROP COLUMN kind,
    ADD CONSTRAINT photo_mime_check CHECK (mime IN ('image/jpeg', 'image/png', 'image/webp', 'image/heic')),
    ADD CONSTRAINT photo_check4 CHECK (num_nulls(mime, width, height) IN (0, 3));
