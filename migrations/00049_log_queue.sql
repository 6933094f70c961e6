-- The signed rows of each transaction, which commits them here for the log, as a list
-- of items: the kind (1 byte), the row's id (8 bytes) and the hash of its leaf
-- (32 bytes). The log deletes what it has taken.
--
-- unsigned_allowed is the permission for rows without a signature. Only a database that
-- was in use before rows were signed has its row, until `elsom key baseline` has signed
-- what was there.

-- +goose Up
CREATE TABLE log_queue (
    id      BIGINT NOT NULL PRIMARY KEY,
    records BYTEA  NOT NULL
);
CREATE TABLE unsigned_allowed (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1)
);
INSERT INTO unsigned_allowed (id)
SELECT 1 WHERE EXISTS (SELECT 1 FROM transfers) OR EXISTS (SELECT 1 FROM agents) OR EXISTS (SELECT 1 FROM catalog_billers);

-- +goose Down
DROP TABLE unsigned_allowed;
DROP TABLE log_queue;
