-- The cities. Everything else of a city lies in the schema that bears its code.
CREATE TABLE city (
    code text PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9]{1,30}$'),
    name text NOT NULL CHECK (name ~ '^[^[:cntrl:]]{1,100}$'),
    timezone text NOT NULL,
    srid integer NOT NULL,
    levels jsonb NOT NULL,
    generated boolean NOT NULL,
    demo boolean NOT NULL,
    role text NOT NULL UNIQUE,
    conn text,
    created_at timestamptz NOT NULL
);

-- The passwords of the cities' roles, apart from the cities so that backups leave them out.
CREATE TABLE login (
    role text PRIMARY KEY REFERENCES city (role) ON UPDATE CASCADE ON DELETE CASCADE,
    password text NOT NULL
);

---- create above / drop below ----

DROP TABLE login;

DROP TABLE city;
