-- +goose Up

-- The biller's answer that a decision rests on; empty: none was given.
ALTER TABLE payment_decisions ADD COLUMN evidence VARCHAR(300) NOT NULL DEFAULT '';

-- No money leaves the wallet; logging in and cash-in stay possible.
ALTER TABLE customers ADD COLUMN blocked_out BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down

ALTER TABLE customers DROP COLUMN blocked_out;

ALTER TABLE payment_decisions DROP COLUMN evidence;
