-- The security log: logins, codes, PINs and refusals. A row is never changed, and
-- deleted only after the time that it was written with.

-- +goose Up
CREATE TABLE security_events (
    id            BIGINT      NOT NULL PRIMARY KEY,
    at            TIMESTAMPTZ NOT NULL,
    keep_until_ms BIGINT      NOT NULL,
    event         VARCHAR(30) NOT NULL,
    outcome       VARCHAR(20) NOT NULL,
    detail        VARCHAR(60) NOT NULL,
    number        VARCHAR(32) NOT NULL,
    wallet        BIGINT      NOT NULL,
    network       VARCHAR(50) NOT NULL,
    browser       VARCHAR(32) NOT NULL,
    caller        VARCHAR(40) NOT NULL,
    request_id    VARCHAR(40) NOT NULL,
    count         BIGINT      NOT NULL CHECK (count > 0)
);
CREATE INDEX security_events_number ON security_events (number);
CREATE INDEX security_events_wallet ON security_events (wallet);
CREATE INDEX security_events_keep_until ON security_events (keep_until_ms);
-- +goose StatementBegin
-- mutant:replace UPDATE ON security_events => UPDATE ON promises ./internal/securitylog TestRowsAreKept
CREATE TRIGGER security_events_no_update BEFORE UPDATE ON security_events
BEGIN SELECT RAISE(ABORT, 'security_events is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER security_events_keep BEFORE DELETE ON security_events
-- mutant:replace OLD.keep_until_ms => 0 * OLD.keep_until_ms ./internal/securitylog TestRowsAreKept
WHEN OLD.keep_until_ms > unixepoch('subsec') * 1000
BEGIN SELECT RAISE(ABORT, 'security_events is kept'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE security_events;
