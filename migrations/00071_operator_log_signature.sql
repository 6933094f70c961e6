-- Signatures of the entries of the operator log. They are NULL where the command had no
-- key of the books.

-- +goose Up
ALTER TABLE operator_log ADD COLUMN mac BYTEA;
ALTER TABLE operator_log ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE operator_log DROP COLUMN key_id;
ALTER TABLE operator_log DROP COLUMN mac;
