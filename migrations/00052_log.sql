-- The log of signed rows (internal/translog): a Merkle tree whose leaves are the
-- records of log_queue, in the order in which they were sealed.

-- +goose Up
-- One row: the size of the tree, its branch, and the newest signed checkpoint; empty
-- if the last seal was made without a key.
CREATE TABLE log_state (
    id         BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    size       BIGINT NOT NULL,
    branch     BIGINT NOT NULL,
    checkpoint TEXT   NOT NULL
);
INSERT INTO log_state (id, size, branch, checkpoint) VALUES (1, 0, 0, '');

-- The hashes of the tree in tiles of height 8: up to 256 hashes of a level that is a
-- multiple of 8. The last tile of a level grows.
CREATE TABLE log_tiles (
    level  BIGINT NOT NULL,
    number BIGINT NOT NULL,
    hashes BYTEA  NOT NULL,
    PRIMARY KEY (level, number)
);

-- What was sealed together: the records of the leaves from first on, and the
-- checkpoint of the tree that ends with them. Rows are never changed.
CREATE TABLE log_seals (
    first      BIGINT      NOT NULL PRIMARY KEY,
    count      BIGINT      NOT NULL,
    records    BYTEA       NOT NULL,
    checkpoint TEXT        NOT NULL,
    sealed_at  TIMESTAMPTZ NOT NULL
);

-- Finds the seals of a row without an entry for each: ids contain their time, and a
-- bucket is the ids of about four seconds. A seal has a row for each bucket of which it
-- has records.
CREATE TABLE log_buckets (
    first  BIGINT NOT NULL,
    bucket BIGINT NOT NULL,
    PRIMARY KEY (first, bucket)
);
CREATE INDEX log_buckets_bucket ON log_buckets (bucket, first);

-- +goose Down
DROP TABLE log_buckets;
DROP TABLE log_seals;
DROP TABLE log_tiles;
DROP TABLE log_state;
