-- Signatures of payments. It is a migration of its own: one that locks two tables of
-- the hot path deadlocks with the postings of the previous release.

-- +goose Up
ALTER TABLE payments ADD COLUMN mac BYTEA;
ALTER TABLE payments ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE payments DROP COLUMN key_id;
ALTER TABLE payments DROP COLUMN mac;
