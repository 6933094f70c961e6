-- Fills the subjects of transfers that the previous release posts beside this one:
-- it doesn't know the columns. It comes before the migration that fills those
-- posted earlier, so that none is left out between them. A later release drops it.
--
-- A payment and a transfer between wallets may be inserted by the same statement as
-- the transfer, in no defined order, so their ids are taken from the request key
-- (ids have at most 18 digits until 2033). A cash-in and a settlement are inserted
-- before their transfer. Other keys keep NULL.
--
-- SQLite needs no such trigger: one process has the file, so no other release posts
-- beside it. It couldn't have one either: a trigger can't change the new row before
-- it is inserted there, and afterwards it is append-only.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION fill_transfer_subject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.request_key ~ '^payment:[1-9][0-9]{0,17}:(accept|end)$' THEN
        NEW.subject_kind := 'payment';
        NEW.subject_id := CAST(split_part(NEW.request_key, ':', 2) AS BIGINT);
    ELSIF NEW.request_key ~ '^transfer:[1-9][0-9]{0,17}$' THEN
        NEW.subject_kind := 'wallet_transfer';
        NEW.subject_id := CAST(split_part(NEW.request_key, ':', 2) AS BIGINT);
    ELSIF NEW.request_key ~ '^cashin:[^:]*:' THEN
        SELECT 'cash_in', id INTO NEW.subject_kind, NEW.subject_id FROM cash_ins
        WHERE agent = split_part(NEW.request_key, ':', 2)
            AND txn_id = regexp_replace(NEW.request_key, '^cashin:[^:]*:', '');
    ELSIF NEW.request_key ~ '^settle:[^:]*:[^:]*:' THEN
        SELECT 'settlement', id INTO NEW.subject_kind, NEW.subject_id FROM settlements
        WHERE kind = split_part(NEW.request_key, ':', 2) AND party = split_part(NEW.request_key, ':', 3)
            AND reference = regexp_replace(NEW.request_key, '^settle:[^:]*:[^:]*:', '');
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
-- mutant:replace BEFORE INSERT => AFTER INSERT ./internal/database TestPreviousReleaseGetsSubjects
CREATE TRIGGER transfers_fill_subject BEFORE INSERT ON transfers
    FOR EACH ROW WHEN (NEW.subject_kind IS NULL) EXECUTE FUNCTION fill_transfer_subject();

-- +goose Down
DROP TRIGGER transfers_fill_subject ON transfers;
DROP FUNCTION fill_transfer_subject();
