-- Without a second unique index of the payments' numbers at their billers: a payment has
-- the number of its draft, where it is unique, and `elsom audit` compares those of the
-- payments. An attempt is updated once, with its outcome: with room on its page for the
-- new version, PostgreSQL need not touch the indexes (HOT update). A payment has no such
-- room, because payments_open follows its state.
--
-- It is no transaction, and can be run again after an interruption: a transaction that
-- locks several tables deadlocks with the postings of the previous release. Each statement
-- locks its table only for a moment.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE payments DROP CONSTRAINT IF EXISTS payments_txn_id_key;
ALTER TABLE payment_attempts SET (fillfactor = 80);

-- +goose Down
ALTER TABLE payment_attempts RESET (fillfactor);
ALTER TABLE payments DROP CONSTRAINT IF EXISTS payments_txn_id_key;
DROP INDEX CONCURRENTLY IF EXISTS payments_txn_id_key;
CREATE UNIQUE INDEX CONCURRENTLY payments_txn_id_key ON payments (txn_id);
ALTER TABLE payments ADD CONSTRAINT payments_txn_id_key UNIQUE USING INDEX payments_txn_id_key;
