-- When the customer's e-mail address was confirmed. A changed address is not confirmed, also
-- if the previous release has changed it.

-- +goose Up
ALTER TABLE customers ADD COLUMN email_confirmed_at TIMESTAMPTZ NULL;
-- +goose StatementBegin
CREATE FUNCTION forget_email_confirmation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.email_confirmed_at := NULL;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
-- mutant:replace WHEN (NEW.email <> OLD.email) => WHEN (NEW.email < '') ./internal/customer TestChangedEmailIsNotConfirmed
CREATE TRIGGER customers_email BEFORE UPDATE OF email ON customers
    FOR EACH ROW WHEN (NEW.email <> OLD.email) EXECUTE FUNCTION forget_email_confirmation();

-- +goose Down
DROP TRIGGER customers_email ON customers;
DROP FUNCTION forget_email_confirmation();
ALTER TABLE customers DROP COLUMN email_confirmed_at;
