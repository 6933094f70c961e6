-- Signatures of attempts, which are the calls to billers: see internal/signature. An
-- attempt is signed when it is inserted and again with its outcome. It stores the biller
-- that it calls, and has an id, by which its record in the log is found. Attempts of
-- before have no biller, and get their ids by the next migration.
--
-- No other release writes beside this one: one process has the file.

-- +goose Up
ALTER TABLE payment_attempts ADD COLUMN id BIGINT;
ALTER TABLE payment_attempts ADD COLUMN biller VARCHAR(40) NOT NULL DEFAULT '';
ALTER TABLE payment_attempts ADD COLUMN mac BYTEA;
ALTER TABLE payment_attempts ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE payment_attempts DROP COLUMN key_id;
ALTER TABLE payment_attempts DROP COLUMN mac;
ALTER TABLE payment_attempts DROP COLUMN biller;
ALTER TABLE payment_attempts DROP COLUMN id;
