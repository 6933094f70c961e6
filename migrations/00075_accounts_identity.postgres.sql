-- The trigger that refuses another identity of an account becomes AFTER: where a table
-- has a BEFORE UPDATE trigger, PostgreSQL locks each row before it updates it, and writes
-- that lock to the log, also if the trigger has nothing to do.

-- +goose Up
-- mutant:replace AFTER UPDATE OF id, kind, subject, => AFTER UPDATE OF id, kind, ./internal/ledger TestNothingErased
CREATE OR REPLACE TRIGGER accounts_identity AFTER UPDATE OF id, kind, subject, currency, opened_at ON accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- +goose Down
CREATE OR REPLACE TRIGGER accounts_identity BEFORE UPDATE OF id, kind, subject, currency, opened_at ON accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
