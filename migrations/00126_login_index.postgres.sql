-- The log of a wallet's logins, newest first, page by page. It is built beside the running
-- server; an interrupted build is begun again.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS security_events_logins;
CREATE INDEX CONCURRENTLY security_events_logins ON security_events (number COLLATE "C", id)
    WHERE event IN ('login', 'signup', 'password_reset');

-- +goose Down
DROP INDEX security_events_logins;
