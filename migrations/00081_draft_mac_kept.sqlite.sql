-- The signature of a draft never changes, as its terms.

-- +goose Up
DROP TRIGGER drafts_identity;
-- +goose StatementBegin
-- mutant:replace , mac, key_id ON drafts => , mac ON drafts ./internal/database TestAppendOnlyTables
CREATE TRIGGER drafts_identity BEFORE UPDATE OF id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, channel, made_at, expires_at, mac, key_id ON drafts
BEGIN SELECT RAISE(ABORT, 'drafts is append-only'); END;
-- +goose StatementEnd
DROP TRIGGER wallet_transfer_drafts_identity;
-- +goose StatementBegin
-- mutant:replace , mac, key_id ON wallet_transfer_drafts => , mac ON wallet_transfer_drafts ./internal/database TestAppendOnlyTables
CREATE TRIGGER wallet_transfer_drafts_identity BEFORE UPDATE OF id, sender_id, receiver_id, phone, receiver, amount, channel, made_at, expires_at, mac, key_id ON wallet_transfer_drafts
BEGIN SELECT RAISE(ABORT, 'wallet_transfer_drafts is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER wallet_transfer_drafts_identity;
-- +goose StatementBegin
CREATE TRIGGER wallet_transfer_drafts_identity BEFORE UPDATE OF id, sender_id, receiver_id, phone, receiver, amount, channel, made_at, expires_at ON wallet_transfer_drafts
BEGIN SELECT RAISE(ABORT, 'wallet_transfer_drafts is append-only'); END;
-- +goose StatementEnd
DROP TRIGGER drafts_identity;
-- +goose StatementBegin
CREATE TRIGGER drafts_identity BEFORE UPDATE OF id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, channel, made_at, expires_at ON drafts
BEGIN SELECT RAISE(ABORT, 'drafts is append-only'); END;
-- +goose StatementEnd
