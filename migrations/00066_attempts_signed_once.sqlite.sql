-- An attempt's id is unique, and neither it nor the biller changes. Its signature changes
-- with its outcome, once: a signed attempt stays signed, and an unsigned one, of the
-- previous release, unsigned until `elsom key baseline` signs it.

-- +goose Up
CREATE UNIQUE INDEX payment_attempts_id ON payment_attempts (id);
DROP TRIGGER payment_attempts_identity;
-- +goose StatementBegin
-- mutant:replace started_at, biller ON => started_at ON ./internal/database TestAppendOnlyTables
CREATE TRIGGER payment_attempts_identity BEFORE UPDATE OF id, payment_id, number, started_at, biller ON payment_attempts
BEGIN SELECT RAISE(ABORT, 'payment_attempts is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
-- mutant:replace (OLD.mac IS NULL) = (NEW.mac IS NULL) => TRUE ./internal/database TestAttemptEndsOnce
CREATE TRIGGER payment_attempts_signed_once BEFORE UPDATE OF mac, key_id ON payment_attempts
WHEN NOT (OLD.outcome IS NULL AND NEW.outcome IS NOT NULL AND (OLD.mac IS NULL) = (NEW.mac IS NULL)
    OR OLD.outcome IS NEW.outcome AND OLD.mac IS NULL AND OLD.key_id = '' AND NEW.mac IS NOT NULL AND NEW.key_id LIKE 'b-%')
BEGIN SELECT RAISE(ABORT, 'payment_attempts is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER payment_attempts_signed_once;
DROP TRIGGER payment_attempts_identity;
-- +goose StatementBegin
CREATE TRIGGER payment_attempts_identity BEFORE UPDATE OF payment_id, number, started_at ON payment_attempts
BEGIN SELECT RAISE(ABORT, 'payment_attempts is append-only'); END;
-- +goose StatementEnd
DROP INDEX payment_attempts_id;
