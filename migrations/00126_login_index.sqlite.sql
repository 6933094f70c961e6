-- The log of a wallet's logins, newest first, page by page.

-- +goose Up
CREATE INDEX security_events_logins ON security_events (number, id)
    WHERE event IN ('login', 'signup', 'password_reset');

-- +goose Down
DROP INDEX security_events_logins;
