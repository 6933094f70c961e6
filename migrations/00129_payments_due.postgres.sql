-- Due payments, in place of the index of open ones by their age: open payments are few, so
-- what looks for them by age reads this index.
--
-- It is no transaction, and can be run again after an interruption.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS payments_due;
-- mutant:replace state = 'processing' => state = 'refunded' ./web TestQueryPlansOfAPayment
CREATE INDEX CONCURRENTLY payments_due ON payments (biller, due_at) WHERE state = 'processing';
DROP INDEX CONCURRENTLY IF EXISTS payments_open;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS payments_open;
CREATE INDEX CONCURRENTLY payments_open ON payments (accepted_at) WHERE state = 'processing';
DROP INDEX CONCURRENTLY IF EXISTS payments_due;
