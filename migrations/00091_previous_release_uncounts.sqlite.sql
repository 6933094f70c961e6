-- After a step back, the previous release changes balances without the sums: the wallet
-- is then not counted any more. This release changes moves with each balance, so the
-- condition is false for it.
--
-- A later release drops the trigger.

-- +goose Up
-- +goose StatementBegin
-- mutant:replace WHEN NEW.moves = OLD.moves => WHEN NEW.moves < OLD.moves ./internal/ledger TestPreviousReleaseUncounts
CREATE TRIGGER accounts_uncount AFTER UPDATE OF balance ON accounts WHEN NEW.moves = OLD.moves
BEGIN UPDATE accounts SET moves = NULL WHERE id = NEW.id; END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER accounts_uncount;
