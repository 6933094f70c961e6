-- When the customer's e-mail address was confirmed. A changed address is not confirmed, also
-- if the previous release has changed it.

-- +goose Up
ALTER TABLE customers ADD COLUMN email_confirmed_at TIMESTAMPTZ NULL;
-- +goose StatementBegin
-- mutant:replace WHEN NEW.email <> OLD.email => WHEN NEW.email < '' ./internal/customer TestChangedEmailIsNotConfirmed
CREATE TRIGGER customers_email AFTER UPDATE OF email ON customers WHEN NEW.email <> OLD.email
BEGIN UPDATE customers SET email_confirmed_at = NULL WHERE id = NEW.id; END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER customers_email;
ALTER TABLE customers DROP COLUMN email_confirmed_at;
