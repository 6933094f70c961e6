-- Signatures of transfers, which cover their entries: see internal/signature. They
-- are NULL where a row was written without a key, as the previous release does.

-- +goose Up
ALTER TABLE transfers ADD COLUMN mac BYTEA;
ALTER TABLE transfers ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE transfers DROP COLUMN key_id;
ALTER TABLE transfers DROP COLUMN mac;
