-- The amounts sent from closed wallets of the same number, on the day and in the
-- month of spent_at: a new wallet does not reset the limits.

-- +goose Up
ALTER TABLE customers ADD COLUMN spent_at TIMESTAMPTZ;
ALTER TABLE customers ADD COLUMN spent_day BIGINT NOT NULL DEFAULT 0 CHECK (spent_day = CAST(spent_day AS BIGINT));
ALTER TABLE customers ADD COLUMN spent_month BIGINT NOT NULL DEFAULT 0 CHECK (spent_month = CAST(spent_month AS BIGINT));

-- +goose Down
ALTER TABLE customers DROP COLUMN spent_month;
ALTER TABLE customers DROP COLUMN spent_day;
ALTER TABLE customers DROP COLUMN spent_at;
