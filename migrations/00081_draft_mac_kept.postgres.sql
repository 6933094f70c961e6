-- The signature of a draft never changes, as its terms.

-- +goose Up
-- mutant:replace , mac, key_id ON drafts => , mac ON drafts ./internal/database TestAppendOnlyTables
CREATE OR REPLACE TRIGGER drafts_identity AFTER UPDATE OF id, customer_id, service, biller, identifier, payee, amount, fee,
    txn_id, channel, made_at, expires_at, mac, key_id ON drafts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- mutant:replace , mac, key_id ON wallet_transfer_drafts => , mac ON wallet_transfer_drafts ./internal/database TestAppendOnlyTables
CREATE OR REPLACE TRIGGER wallet_transfer_drafts_identity AFTER UPDATE OF id, sender_id, receiver_id, phone, receiver, amount,
    channel, made_at, expires_at, mac, key_id ON wallet_transfer_drafts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- +goose Down
CREATE OR REPLACE TRIGGER wallet_transfer_drafts_identity AFTER UPDATE OF id, sender_id, receiver_id, phone, receiver, amount,
    channel, made_at, expires_at ON wallet_transfer_drafts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER drafts_identity AFTER UPDATE OF id, customer_id, service, biller, identifier, payee, amount, fee,
    txn_id, channel, made_at, expires_at ON drafts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
