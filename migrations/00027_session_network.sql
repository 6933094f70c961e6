-- The network of the login, shown in the list of sessions.

-- +goose Up
ALTER TABLE sessions ADD COLUMN network VARCHAR(50) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE sessions DROP COLUMN network;
