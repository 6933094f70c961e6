-- The time of a session's last request is in no index, and its page has room for a new
-- version: storing the time touches no index (HOT update). Ended sessions are found by
-- their handles, which have the time when they began.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE sessions SET (fillfactor = 70);
-- mutant:replace DROP INDEX CONCURRENTLY IF EXISTS sessions_seen; => ./web TestUpdatesTouchNoIndex
DROP INDEX CONCURRENTLY IF EXISTS sessions_seen;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS sessions_seen;
CREATE INDEX CONCURRENTLY sessions_seen ON sessions (seen_at);
ALTER TABLE sessions RESET (fillfactor);
