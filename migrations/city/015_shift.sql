-- A shift from one time of day to the same of the next is 25 hours long when clocks are set back.
ALTER TABLE shift DROP CONSTRAINT shift_check, ADD CONSTRAINT shift_length CHECK (to_at > from_at AND to_at <= from_at + interval '25 hours');

---- create above / drop below ----

ALTER TABLE shift DROP CONSTRAINT shift_length, ADD CONSTRAINT shift_check CHECK (to_at > from_at AND to_at <= from_at + interval '24 hours');
