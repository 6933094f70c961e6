-- The invariant "nothing erased": transfers and entries are never changed or deleted;
-- accounts are never deleted, and only their balance and floor change.

-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers
BEGIN SELECT RAISE(ABORT, 'transfers is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
-- mutant:replace ON transfers => ON promises ./internal/ledger TestNothingErased
CREATE TRIGGER transfers_no_delete BEFORE DELETE ON transfers
BEGIN SELECT RAISE(ABORT, 'transfers is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER accounts_no_delete BEFORE DELETE ON accounts
BEGIN SELECT RAISE(ABORT, 'accounts is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
-- mutant:replace id, kind, subject, currency => kind, subject ./internal/ledger TestNothingErased
CREATE TRIGGER accounts_identity BEFORE UPDATE OF id, kind, subject, currency, opened_at ON accounts
BEGIN SELECT RAISE(ABORT, 'accounts is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER accounts_identity;
DROP TRIGGER accounts_no_delete;
DROP TRIGGER entries_no_delete;
DROP TRIGGER entries_no_update;
DROP TRIGGER transfers_no_delete;
DROP TRIGGER transfers_no_update;
