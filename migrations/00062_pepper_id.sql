-- The pepper that a PIN was hashed with, by an id that doesn't reveal it; empty where an
-- earlier release stored the PIN.

-- +goose Up
ALTER TABLE pins ADD COLUMN pepper_id VARCHAR(8) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE pins DROP COLUMN pepper_id;
