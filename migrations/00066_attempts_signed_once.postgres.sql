-- An attempt's id is unique, and neither it nor the biller changes. Its signature changes
-- with its outcome, once: a signed attempt stays signed, and an unsigned one, of the
-- previous release, unsigned until `elsom key baseline` signs it.
--
-- The index blocks deliveries while it is made, about a second for each million attempts.

-- +goose Up
CREATE UNIQUE INDEX payment_attempts_id ON payment_attempts (id);
-- mutant:replace started_at, biller ON => started_at ON ./internal/database TestAppendOnlyTables
CREATE OR REPLACE TRIGGER payment_attempts_identity AFTER UPDATE OF id, payment_id, number, started_at, biller ON payment_attempts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- mutant:replace (OLD.mac IS NULL) = (NEW.mac IS NULL) => TRUE ./internal/database TestAttemptEndsOnce
CREATE TRIGGER payment_attempts_signed_once AFTER UPDATE OF mac, key_id ON payment_attempts
    FOR EACH ROW WHEN (NOT (OLD.outcome IS NULL AND NEW.outcome IS NOT NULL AND (OLD.mac IS NULL) = (NEW.mac IS NULL)
        OR OLD.outcome IS NOT DISTINCT FROM NEW.outcome AND OLD.mac IS NULL AND OLD.key_id = '' AND NEW.mac IS NOT NULL AND NEW.key_id LIKE 'b-%'))
    EXECUTE FUNCTION refuse_change();

-- +goose Down
DROP TRIGGER payment_attempts_signed_once ON payment_attempts;
CREATE OR REPLACE TRIGGER payment_attempts_identity AFTER UPDATE OF payment_id, number, started_at ON payment_attempts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
DROP INDEX payment_attempts_id;
