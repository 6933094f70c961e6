-- Ended sessions are found by their handles, which have the time when they began.

-- +goose Up
DROP INDEX sessions_seen;

-- +goose Down
CREATE INDEX sessions_seen ON sessions (seen_at);
