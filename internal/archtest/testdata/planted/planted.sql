CREATE TABLE item (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL DEFAULT '', day date NOT NULL);

CREATE TABLE keyless (id bigint); -- broken: key

CREATE TABLE counted (id bigserial PRIMARY KEY); -- broken: identity

CREATE TABLE dated (id bigint PRIMARY KEY, at timestamptz DEFAULT now()); -- broken: default

CREATE TABLE today (day date PRIMARY KEY DEFAULT CURRENT_DATE); -- broken: default

CREATE UNLOGGED TABLE quick (id bigint PRIMARY KEY); -- broken: kind

CREATE TABLE heir (PRIMARY KEY (id)) INHERITS (item); -- broken: kind

CREATE TABLE item_0 PARTITION OF item FOR VALUES FROM (0) TO (9);

CREATE TRIGGER told AFTER INSERT ON item EXECUTE FUNCTION tell(); -- broken: trigger

CREATE FUNCTION tell() RETURNS void LANGUAGE sql AS 'SELECT 1'; -- broken: function

DO 'BEGIN NULL; END'; -- broken: function

UPDATE item SET day = current_date; -- broken: volatile
