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
CREATE FUNCTION refuse_early_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- mutant:replace OLD.keep_until_ms > => 0 * OLD.keep_until_ms > ./internal/securitylog TestRowsAreKept
    IF OLD.keep_until_ms > EXTRACT(EPOCH FROM clock_timestamp()) * 1000 THEN
        RAISE EXCEPTION '% is kept', TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$$;
-- +goose StatementEnd
-- mutant:replace BEFORE UPDATE => AFTER DELETE ./internal/securitylog TestRowsAreKept
CREATE TRIGGER security_events_no_update BEFORE UPDATE ON security_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER security_events_keep BEFORE DELETE ON security_events
    FOR EACH ROW EXECUTE FUNCTION refuse_early_deletion();
-- mutant:replace security_events_no_truncate BEFORE TRUNCATE => security_events_no_truncate BEFORE INSERT ./internal/securitylog TestRowsAreKept
CREATE TRIGGER security_events_no_truncate BEFORE TRUNCATE ON security_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- +goose Down
DROP TABLE security_events;
DROP FUNCTION refuse_early_deletion();
