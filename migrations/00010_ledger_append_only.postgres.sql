-- The invariant "nothing erased": transfers and entries are never changed or deleted;
-- accounts are never deleted, and only their balance and floor change.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER transfers_append_only BEFORE UPDATE OR DELETE ON transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transfers_no_truncate BEFORE TRUNCATE ON transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- mutant:replace UPDATE OR => ./internal/ledger TestNothingErased
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE ON entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- mutant:replace entries => promises ./internal/ledger TestNothingErased
CREATE TRIGGER entries_no_truncate BEFORE TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounts_no_delete BEFORE DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounts_no_truncate BEFORE TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER accounts_identity BEFORE UPDATE OF id, kind, subject, currency, opened_at ON accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- +goose Down
DROP TRIGGER accounts_identity ON accounts;
DROP TRIGGER accounts_no_truncate ON accounts;
DROP TRIGGER accounts_no_delete ON accounts;
DROP TRIGGER entries_no_truncate ON entries;
DROP TRIGGER entries_append_only ON entries;
DROP TRIGGER transfers_no_truncate ON transfers;
DROP TRIGGER transfers_append_only ON transfers;
DROP FUNCTION refuse_change();
