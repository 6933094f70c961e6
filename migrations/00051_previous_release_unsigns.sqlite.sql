-- Of a row without a signature the signature may be added, once, by `elsom key baseline`.
-- PostgreSQL has one function for it; see the migration of the append-only triggers.
--
-- The previous release doesn't write beside this one: one process has the file.

-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER cash_ins_signed_once BEFORE UPDATE OF mac, key_id ON cash_ins WHEN OLD.mac IS NOT NULL OR OLD.key_id <> '' OR NEW.mac IS NULL OR NEW.key_id NOT LIKE 'b-%'
BEGIN SELECT RAISE(ABORT, 'cash_ins is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER wallet_transfers_signed_once BEFORE UPDATE OF mac, key_id ON wallet_transfers WHEN OLD.mac IS NOT NULL OR OLD.key_id <> '' OR NEW.mac IS NULL OR NEW.key_id NOT LIKE 'b-%'
BEGIN SELECT RAISE(ABORT, 'wallet_transfers is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER payment_decisions_signed_once BEFORE UPDATE OF mac, key_id ON payment_decisions WHEN OLD.mac IS NOT NULL OR OLD.key_id <> '' OR NEW.mac IS NULL OR NEW.key_id NOT LIKE 'b-%'
BEGIN SELECT RAISE(ABORT, 'payment_decisions is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER payment_claims_signed_once BEFORE UPDATE OF mac, key_id ON payment_claims WHEN OLD.mac IS NOT NULL OR OLD.key_id <> '' OR NEW.mac IS NULL OR NEW.key_id NOT LIKE 'b-%'
BEGIN SELECT RAISE(ABORT, 'payment_claims is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER settlements_signed_once BEFORE UPDATE OF mac, key_id ON settlements WHEN OLD.mac IS NOT NULL OR OLD.key_id <> '' OR NEW.mac IS NULL OR NEW.key_id NOT LIKE 'b-%'
BEGIN SELECT RAISE(ABORT, 'settlements is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER catalog_versions_signed_once BEFORE UPDATE OF mac, key_id ON catalog_versions WHEN OLD.mac IS NOT NULL OR OLD.key_id <> '' OR NEW.mac IS NULL OR NEW.key_id NOT LIKE 'b-%'
BEGIN SELECT RAISE(ABORT, 'catalog_versions is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER catalog_versions_signed_once;
DROP TRIGGER settlements_signed_once;
DROP TRIGGER payment_claims_signed_once;
DROP TRIGGER payment_decisions_signed_once;
DROP TRIGGER wallet_transfers_signed_once;
DROP TRIGGER cash_ins_signed_once;
