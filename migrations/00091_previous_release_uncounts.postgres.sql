-- The previous release changes balances beside this one, without the sums: the wallet is
-- then not counted any more. This release changes moves with each balance, so the
-- condition is false for it, and the function is not called. AFTER: where a table has a
-- BEFORE UPDATE trigger, PostgreSQL locks each row before it updates it.
--
-- A later release drops the trigger.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION uncount_wallet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts SET moves = NULL WHERE id = NEW.id;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
-- mutant:replace WHEN (NEW.moves = OLD.moves) => WHEN (NEW.moves < OLD.moves) ./internal/ledger TestPreviousReleaseUncounts
CREATE TRIGGER accounts_uncount AFTER UPDATE OF balance ON accounts
    FOR EACH ROW WHEN (NEW.moves = OLD.moves) EXECUTE FUNCTION uncount_wallet();

-- +goose Down
DROP TRIGGER accounts_uncount ON accounts;
DROP FUNCTION uncount_wallet();
