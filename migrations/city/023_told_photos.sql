-- Photos that come with what is told without an account: nobody has uploaded them but whoever told report told_with, whose link's
-- secret lets them come. They are announced with the report, and show it from the moment they are ready.
ALTER TABLE photo ALTER COLUMN uploaded_by DROP NOT NULL;

ALTER TABLE photo ADD COLUMN told_with bigint REFERENCES report (num);

ALTER TABLE photo ADD CONSTRAINT photo_one_owner CHECK (num_nonnulls(uploaded_by, told_with) = 1);

CREATE INDEX photo_told_with ON photo (told_with) WHERE told_with IS NOT NULL;

---- create above / drop below ----

DELETE FROM photo_use WHERE photo_id IN (SELECT id FROM photo WHERE told_with IS NOT NULL);

DELETE FROM photo_file WHERE photo_id IN (SELECT id FROM photo WHERE told_with IS NOT NULL);

DELETE FROM photo WHERE told_with IS NOT NULL;

ALTER TABLE photo DROP COLUMN told_with;

ALTER TABLE photo ALTER COLUMN uploaded_by SET NOT NULL;
