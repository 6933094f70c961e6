-- The list of sessions shows from which network each was logged in.

-- +goose Up
ALTER TABLE sessions ADD COLUMN network VARCHAR(50) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE sessions DROP COLUMN network;
