-- A keyed hash of what a session of a customer decides: see web/session. It is NULL in
-- sessions of visitors, and in those that the previous release begins; these have ended
-- for this release.

-- +goose Up
ALTER TABLE sessions ADD COLUMN mac BYTEA;

-- +goose Down
ALTER TABLE sessions DROP COLUMN mac;
