-- What money depends on is append-only: cash-ins, transfers between wallets, decisions
-- and claims never change; a payment ends once and a call to a biller gets its outcome
-- once, and nothing else of them changes. Of a row without a signature the signature
-- may be added, once, by `elsom key baseline`. What a draft pays never changes.
--
-- What payments are ended with fires no function: their triggers are AFTER UPDATE OF
-- columns and have conditions, which PostgreSQL decides without one. AFTER also means
-- that it doesn't lock each row first, as it does where a table has a BEFORE trigger.
--
-- It is no transaction, and can be run again after an interruption: a transaction that
-- locks several tables deadlocks with the postings of the previous release.

-- +goose NO TRANSACTION
-- +goose Up
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refuse_change_but_signature() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- mutant:replace to_jsonb(NEW) - 'mac' - 'key_id' = => TRUE OR to_jsonb(NEW) = ./internal/database TestSignatureIsAddedOnce
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) ->> 'mac' IS NULL AND to_jsonb(OLD) ->> 'key_id' = ''
        AND to_jsonb(NEW) ->> 'mac' IS NOT NULL AND to_jsonb(NEW) ->> 'key_id' LIKE 'b-%'
        AND to_jsonb(NEW) - 'mac' - 'key_id' = to_jsonb(OLD) - 'mac' - 'key_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END
$$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER transfers_append_only BEFORE UPDATE OR DELETE ON transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_signature();
CREATE OR REPLACE TRIGGER settlements_append_only BEFORE UPDATE OR DELETE ON settlements
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_signature();
CREATE OR REPLACE TRIGGER catalog_versions_append_only BEFORE UPDATE OR DELETE ON catalog_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_signature();
-- mutant:replace UPDATE OR DELETE ON cash_ins => DELETE ON cash_ins ./internal/database TestAppendOnlyTables
CREATE OR REPLACE TRIGGER cash_ins_append_only BEFORE UPDATE OR DELETE ON cash_ins
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_signature();
CREATE OR REPLACE TRIGGER cash_ins_no_truncate BEFORE TRUNCATE ON cash_ins
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- mutant:replace UPDATE OR DELETE ON wallet_transfers => UPDATE ON wallet_transfers ./internal/database TestAppendOnlyTables
CREATE OR REPLACE TRIGGER wallet_transfers_append_only BEFORE UPDATE OR DELETE ON wallet_transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_signature();
CREATE OR REPLACE TRIGGER wallet_transfers_no_truncate BEFORE TRUNCATE ON wallet_transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER payment_decisions_append_only BEFORE UPDATE OR DELETE ON payment_decisions
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_signature();
CREATE OR REPLACE TRIGGER payment_decisions_no_truncate BEFORE TRUNCATE ON payment_decisions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER payment_claims_append_only BEFORE UPDATE OR DELETE ON payment_claims
    FOR EACH ROW EXECUTE FUNCTION refuse_change_but_signature();
CREATE OR REPLACE TRIGGER payment_claims_no_truncate BEFORE TRUNCATE ON payment_claims
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- mutant:replace payments_identity AFTER UPDATE OF id, customer_id, service, biller, identifier, => payments_identity AFTER UPDATE OF id, customer_id, service, biller, ./internal/database TestPaymentChangesOnce
CREATE OR REPLACE TRIGGER payments_identity AFTER UPDATE OF id, customer_id, service, biller, identifier, payee, amount, fee,
    txn_id, code, channel, accepted_at ON payments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- mutant:replace OLD.state <> 'processing' OR => ./internal/database TestPaymentChangesOnce
CREATE OR REPLACE TRIGGER payments_end_once AFTER UPDATE OF state, ended_at, result, reference, refund_ground ON payments
    FOR EACH ROW WHEN (OLD.state <> 'processing' OR NEW.state NOT IN ('completed', 'refunded'))
    EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER payments_asked_once AFTER UPDATE OF asked_at ON payments
    FOR EACH ROW WHEN (OLD.asked_at IS NOT NULL OR OLD.state <> 'processing') EXECUTE FUNCTION refuse_change();
-- mutant:replace OLD.mac IS NOT NULL OR OLD.key_id <> '' OR => ./internal/database TestSignatureIsAddedOnce
CREATE OR REPLACE TRIGGER payments_signed_once AFTER UPDATE OF mac, key_id ON payments
    FOR EACH ROW WHEN (OLD.mac IS NOT NULL OR OLD.key_id <> '' OR NEW.mac IS NULL OR NEW.key_id NOT LIKE 'b-%')
    EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER payments_no_delete BEFORE DELETE ON payments
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER payments_no_truncate BEFORE TRUNCATE ON payments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE OR REPLACE TRIGGER payment_attempts_identity AFTER UPDATE OF payment_id, number, started_at ON payment_attempts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- mutant:replace OLD.outcome IS NOT NULL OR => ./internal/database TestAttemptEndsOnce
CREATE OR REPLACE TRIGGER payment_attempts_end_once AFTER UPDATE OF ended_at, outcome, result, reference, remark ON payment_attempts
    FOR EACH ROW WHEN (OLD.outcome IS NOT NULL OR NEW.outcome IS NULL) EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER payment_attempts_no_delete BEFORE DELETE ON payment_attempts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER payment_attempts_no_truncate BEFORE TRUNCATE ON payment_attempts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE OR REPLACE TRIGGER drafts_identity AFTER UPDATE OF id, customer_id, service, biller, identifier, payee, amount, fee,
    txn_id, channel, made_at, expires_at ON drafts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER wallet_transfer_drafts_identity AFTER UPDATE OF id, sender_id, receiver_id, phone, receiver, amount, channel, made_at, expires_at
    ON wallet_transfer_drafts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- +goose Down
DROP TRIGGER IF EXISTS wallet_transfer_drafts_identity ON wallet_transfer_drafts;
DROP TRIGGER IF EXISTS drafts_identity ON drafts;
DROP TRIGGER IF EXISTS payment_attempts_no_truncate ON payment_attempts;
DROP TRIGGER IF EXISTS payment_attempts_no_delete ON payment_attempts;
DROP TRIGGER IF EXISTS payment_attempts_end_once ON payment_attempts;
DROP TRIGGER IF EXISTS payment_attempts_identity ON payment_attempts;
DROP TRIGGER IF EXISTS payments_no_truncate ON payments;
DROP TRIGGER IF EXISTS payments_no_delete ON payments;
DROP TRIGGER IF EXISTS payments_signed_once ON payments;
DROP TRIGGER IF EXISTS payments_asked_once ON payments;
DROP TRIGGER IF EXISTS payments_end_once ON payments;
DROP TRIGGER IF EXISTS payments_identity ON payments;
DROP TRIGGER IF EXISTS payment_claims_no_truncate ON payment_claims;
DROP TRIGGER IF EXISTS payment_claims_append_only ON payment_claims;
DROP TRIGGER IF EXISTS payment_decisions_no_truncate ON payment_decisions;
DROP TRIGGER IF EXISTS payment_decisions_append_only ON payment_decisions;
DROP TRIGGER IF EXISTS wallet_transfers_no_truncate ON wallet_transfers;
DROP TRIGGER IF EXISTS wallet_transfers_append_only ON wallet_transfers;
DROP TRIGGER IF EXISTS cash_ins_no_truncate ON cash_ins;
DROP TRIGGER IF EXISTS cash_ins_append_only ON cash_ins;
CREATE OR REPLACE TRIGGER catalog_versions_append_only BEFORE UPDATE OR DELETE ON catalog_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER settlements_append_only BEFORE UPDATE OR DELETE ON settlements
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER transfers_append_only BEFORE UPDATE OR DELETE ON transfers
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
DROP FUNCTION IF EXISTS refuse_change_but_signature();
