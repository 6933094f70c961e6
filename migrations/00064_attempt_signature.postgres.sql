-- Signatures of attempts, which are the calls to billers: see internal/signature. An
-- attempt is signed when it is inserted and again with its outcome. It stores the biller
-- that it calls, and has an id, by which its record in the log is found. Attempts of
-- before have no biller, and get their ids by the next migration.
--
-- An attempt of the previous release, which runs beside this one, gets its id here: its
-- time and a hash of its key. It has no signature, and never gets one: the process that
-- inserts an attempt is the one that stores its outcome.

-- +goose Up
ALTER TABLE payment_attempts ADD COLUMN id BIGINT,
    ADD COLUMN biller VARCHAR(40) NOT NULL DEFAULT '',
    ADD COLUMN mac BYTEA,
    ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';
-- +goose StatementBegin
CREATE FUNCTION fill_attempt_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.id := (GREATEST(CAST(EXTRACT(EPOCH FROM NEW.started_at) * 1000 AS BIGINT) - 1767225600000, 0) << 22)
        | (hashtextextended(NEW.payment_id || ':' || NEW.number, 0) & 4194303);
    RETURN NEW;
END
$$;
-- +goose StatementEnd
-- mutant:replace BEFORE INSERT ON payment_attempts => AFTER INSERT ON payment_attempts ./internal/database TestPreviousReleaseUnsignsRows
CREATE TRIGGER payment_attempts_fill_id BEFORE INSERT ON payment_attempts
    FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION fill_attempt_id();

-- +goose Down
DROP TRIGGER payment_attempts_fill_id ON payment_attempts;
DROP FUNCTION fill_attempt_id();
ALTER TABLE payment_attempts DROP COLUMN key_id, DROP COLUMN mac, DROP COLUMN biller, DROP COLUMN id;
