-- +goose Up

-- serves_from is the oldest schema whose program can still work with this one.
-- A release that only adds leaves it as it is, so that the portals of the
-- release before go on beside it. A migration that takes away what an earlier
-- release needs raises it to the schema of the first release that doesn't.
CREATE TABLE schema_compatibility (
    id          BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    serves_from BIGINT NOT NULL
);

INSERT INTO schema_compatibility (id, serves_from) VALUES (1, 25);

-- +goose Down

DROP TABLE schema_compatibility;
