-- +goose Up

-- serves_from is the oldest schema version whose program can work with this schema.
-- A release that only adds to the schema does not change it, so that processes of
-- the previous release can run beside it. A migration that removes something that
-- an earlier release needs raises it to the version of the first release that
-- doesn't need it.
CREATE TABLE schema_compatibility (
    id          BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    serves_from BIGINT NOT NULL
);

INSERT INTO schema_compatibility (id, serves_from) VALUES (1, 25);

-- +goose Down

DROP TABLE schema_compatibility;
