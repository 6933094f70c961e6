-- What money depends on is append-only: cash-ins, transfers between wallets, decisions
-- and claims never change; a payment ends once and a call to a biller gets its outcome
-- once, and nothing else of them changes. Of a row without a signature the signature
-- may be added, once, by `elsom key baseline`. What a draft pays
-- never changes.

-- +goose Up
DROP TRIGGER transfers_no_update;
-- +goose StatementBegin
CREATE TRIGGER transfers_no_update BEFORE UPDATE OF id, request_key, request_hash, act, corrects, posted_at, subject_kind, subject_id ON transfers
BEGIN SELECT RAISE(ABORT, 'transfers is append-only'); END;
-- +goose StatementEnd
DROP TRIGGER settlements_no_update;
-- +goose StatementBegin
CREATE TRIGGER settlements_no_update BEFORE UPDATE OF id, kind, party, number, reference, amount, staff, reason, settled_at ON settlements
BEGIN SELECT RAISE(ABORT, 'settlements is append-only'); END;
-- +goose StatementEnd
DROP TRIGGER catalog_versions_no_update;
-- +goose StatementBegin
CREATE TRIGGER catalog_versions_no_update BEFORE UPDATE OF version, content, put_at, staff, os_user, origin, restored_from ON catalog_versions
BEGIN SELECT RAISE(ABORT, 'catalog_versions is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
-- mutant:replace ON transfers WHEN OLD.mac IS NOT NULL OR OLD.key_id <> '' OR => ON transfers WHEN ./internal/database TestSignatureIsAddedOnce
CREATE TRIGGER transfers_signed_once BEFORE UPDATE OF mac, key_id ON transfers WHEN OLD.mac IS NOT NULL OR OLD.key_id <> '' OR NEW.mac IS NULL OR NEW.key_id NOT LIKE 'b-%'
BEGIN SELECT RAISE(ABORT, 'transfers is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
-- mutant:replace sum, result => result ./internal/database TestAppendOnlyTables
CREATE TRIGGER cash_ins_no_update BEFORE UPDATE OF id, agent, txn_id, txn_date, account, sum, result, customer_id, received_at ON cash_ins
BEGIN SELECT RAISE(ABORT, 'cash_ins is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER cash_ins_no_delete BEFORE DELETE ON cash_ins
BEGIN SELECT RAISE(ABORT, 'cash_ins is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER wallet_transfers_no_update BEFORE UPDATE OF id, sender_id, receiver_id, sender_phone, receiver_phone, sender, receiver, amount, channel, accepted_at ON wallet_transfers
BEGIN SELECT RAISE(ABORT, 'wallet_transfers is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
-- mutant:replace ON wallet_transfers => ON promises ./internal/database TestAppendOnlyTables
CREATE TRIGGER wallet_transfers_no_delete BEFORE DELETE ON wallet_transfers
BEGIN SELECT RAISE(ABORT, 'wallet_transfers is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER payment_decisions_no_update BEFORE UPDATE OF id, payment_id, staff, decision, reason, evidence, made_at ON payment_decisions
BEGIN SELECT RAISE(ABORT, 'payment_decisions is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER payment_decisions_no_delete BEFORE DELETE ON payment_decisions
BEGIN SELECT RAISE(ABORT, 'payment_decisions is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER payment_claims_no_update BEFORE UPDATE OF payment_id, reference, made_at ON payment_claims
BEGIN SELECT RAISE(ABORT, 'payment_claims is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER payment_claims_no_delete BEFORE DELETE ON payment_claims
BEGIN SELECT RAISE(ABORT, 'payment_claims is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
-- mutant:replace payments_identity BEFORE UPDATE OF id, customer_id, service, biller, identifier, => payments_identity BEFORE UPDATE OF id, customer_id, service, biller, ./internal/database TestPaymentChangesOnce
CREATE TRIGGER payments_identity BEFORE UPDATE OF id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, accepted_at ON payments
BEGIN SELECT RAISE(ABORT, 'payments is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
-- mutant:replace OLD.state <> 'processing' OR => ./internal/database TestPaymentChangesOnce
CREATE TRIGGER payments_end_once BEFORE UPDATE OF state, ended_at, result, reference, refund_ground ON payments WHEN OLD.state <> 'processing' OR NEW.state NOT IN ('completed', 'refunded')
BEGIN SELECT RAISE(ABORT, 'payments is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER payments_asked_once BEFORE UPDATE OF asked_at ON payments WHEN OLD.asked_at IS NOT NULL OR OLD.state <> 'processing'
BEGIN SELECT RAISE(ABORT, 'payments is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER payments_signed_once BEFORE UPDATE OF mac, key_id ON payments WHEN OLD.mac IS NOT NULL OR OLD.key_id <> '' OR NEW.mac IS NULL OR NEW.key_id NOT LIKE 'b-%'
BEGIN SELECT RAISE(ABORT, 'payments is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER payments_no_delete BEFORE DELETE ON payments
BEGIN SELECT RAISE(ABORT, 'payments is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER payment_attempts_identity BEFORE UPDATE OF payment_id, number, started_at ON payment_attempts
BEGIN SELECT RAISE(ABORT, 'payment_attempts is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
-- mutant:replace OLD.outcome IS NOT NULL OR => ./internal/database TestAttemptEndsOnce
CREATE TRIGGER payment_attempts_end_once BEFORE UPDATE OF ended_at, outcome, result, reference, remark ON payment_attempts WHEN OLD.outcome IS NOT NULL OR NEW.outcome IS NULL
BEGIN SELECT RAISE(ABORT, 'payment_attempts is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER payment_attempts_no_delete BEFORE DELETE ON payment_attempts
BEGIN SELECT RAISE(ABORT, 'payment_attempts is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER drafts_identity BEFORE UPDATE OF id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, channel, made_at, expires_at ON drafts
BEGIN SELECT RAISE(ABORT, 'drafts is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER wallet_transfer_drafts_identity BEFORE UPDATE OF id, sender_id, receiver_id, phone, receiver, amount, channel, made_at, expires_at ON wallet_transfer_drafts
BEGIN SELECT RAISE(ABORT, 'wallet_transfer_drafts is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER transfers_signed_once;
DROP TRIGGER cash_ins_no_update;
DROP TRIGGER cash_ins_no_delete;
DROP TRIGGER wallet_transfers_no_update;
DROP TRIGGER wallet_transfers_no_delete;
DROP TRIGGER payment_decisions_no_update;
DROP TRIGGER payment_decisions_no_delete;
DROP TRIGGER payment_claims_no_update;
DROP TRIGGER payment_claims_no_delete;
DROP TRIGGER payments_identity;
DROP TRIGGER payments_end_once;
DROP TRIGGER payments_asked_once;
DROP TRIGGER payments_signed_once;
DROP TRIGGER payments_no_delete;
DROP TRIGGER payment_attempts_identity;
DROP TRIGGER payment_attempts_end_once;
DROP TRIGGER payment_attempts_no_delete;
DROP TRIGGER drafts_identity;
DROP TRIGGER wallet_transfer_drafts_identity;
DROP TRIGGER catalog_versions_no_update;
-- +goose StatementBegin
CREATE TRIGGER catalog_versions_no_update BEFORE UPDATE ON catalog_versions
BEGIN SELECT RAISE(ABORT, 'catalog_versions is append-only'); END;
-- +goose StatementEnd
DROP TRIGGER settlements_no_update;
-- +goose StatementBegin
CREATE TRIGGER settlements_no_update BEFORE UPDATE ON settlements
BEGIN SELECT RAISE(ABORT, 'settlements is append-only'); END;
-- +goose StatementEnd
DROP TRIGGER transfers_no_update;
-- +goose StatementBegin
CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers
BEGIN SELECT RAISE(ABORT, 'transfers is append-only'); END;
-- +goose StatementEnd
