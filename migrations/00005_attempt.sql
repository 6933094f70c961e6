-- +goose Up
CREATE TABLE attempts (
    id VARCHAR(64) NOT NULL PRIMARY KEY, -- keyed hash of the rate limit and its subject
    tries BIGINT NOT NULL CHECK (tries > 0 AND tries = CAST(tries AS BIGINT)),
    ends_ms BIGINT NOT NULL CHECK (ends_ms = CAST(ends_ms AS BIGINT)) -- Unix time in milliseconds
);
CREATE INDEX attempts_ends ON attempts (ends_ms);

-- +goose Down
DROP TABLE attempts;
