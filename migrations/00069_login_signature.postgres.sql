-- A second signature of customers, over what proves the holder and what closed wallets of
-- the number have spent: see internal/customer. The trigger makes a row unsigned that the
-- previous release changes, as customers_unsign does for the first signature; a later
-- release drops it.
--
-- Amounts spent are never negative: that would raise the limits.

-- +goose Up
ALTER TABLE customers ADD COLUMN login_mac BYTEA;
ALTER TABLE customers ADD COLUMN login_key_id VARCHAR(12) NOT NULL DEFAULT '';
ALTER TABLE customers ADD CONSTRAINT customers_spent_not_negative CHECK (spent_day >= 0 AND spent_month >= 0);
-- +goose StatementBegin
CREATE FUNCTION unsign_login() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.login_mac := NULL;
    NEW.login_key_id := '';
    RETURN NEW;
END
$$;
-- +goose StatementEnd
-- mutant:replace BEFORE UPDATE ON customers => AFTER UPDATE ON customers ./internal/database TestPreviousReleaseUnsignsRows
CREATE TRIGGER customers_unsign_login BEFORE UPDATE ON customers FOR EACH ROW
    WHEN (NEW.login_mac IS NOT DISTINCT FROM OLD.login_mac AND
        (NEW.password_hash, NEW.has_pin, NEW.pin_owed, NEW.hold_until, NEW.reset_at, NEW.spent_at, NEW.spent_day, NEW.spent_month)
        IS DISTINCT FROM (OLD.password_hash, OLD.has_pin, OLD.pin_owed, OLD.hold_until, OLD.reset_at, OLD.spent_at, OLD.spent_day, OLD.spent_month))
    EXECUTE FUNCTION unsign_login();

-- +goose Down
DROP TRIGGER customers_unsign_login ON customers;
DROP FUNCTION unsign_login();
ALTER TABLE customers DROP CONSTRAINT customers_spent_not_negative;
ALTER TABLE customers DROP COLUMN login_key_id;
ALTER TABLE customers DROP COLUMN login_mac;
