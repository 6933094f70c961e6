-- A second signature of customers, over what proves the holder and what closed wallets of
-- the number have spent: see internal/customer.
--
-- Amounts spent are never negative: that would raise the limits. SQLite adds a CHECK only
-- with a column, so these two are replaced. No release runs beside this one: one process
-- has the file.

-- +goose Up
ALTER TABLE customers ADD COLUMN login_mac BYTEA;
ALTER TABLE customers ADD COLUMN login_key_id VARCHAR(12) NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN spent_day_next BIGINT NOT NULL DEFAULT 0 CHECK (spent_day_next = CAST(spent_day_next AS BIGINT) AND spent_day_next >= 0);
ALTER TABLE customers ADD COLUMN spent_month_next BIGINT NOT NULL DEFAULT 0 CHECK (spent_month_next = CAST(spent_month_next AS BIGINT) AND spent_month_next >= 0);
UPDATE customers SET spent_day_next = spent_day, spent_month_next = spent_month;
ALTER TABLE customers DROP COLUMN spent_day;
ALTER TABLE customers DROP COLUMN spent_month;
ALTER TABLE customers RENAME COLUMN spent_day_next TO spent_day;
ALTER TABLE customers RENAME COLUMN spent_month_next TO spent_month;

-- +goose Down
ALTER TABLE customers ADD COLUMN spent_day_before BIGINT NOT NULL DEFAULT 0 CHECK (spent_day_before = CAST(spent_day_before AS BIGINT));
ALTER TABLE customers ADD COLUMN spent_month_before BIGINT NOT NULL DEFAULT 0 CHECK (spent_month_before = CAST(spent_month_before AS BIGINT));
UPDATE customers SET spent_day_before = spent_day, spent_month_before = spent_month;
ALTER TABLE customers DROP COLUMN spent_day;
ALTER TABLE customers DROP COLUMN spent_month;
ALTER TABLE customers RENAME COLUMN spent_day_before TO spent_day;
ALTER TABLE customers RENAME COLUMN spent_month_before TO spent_month;
ALTER TABLE customers DROP COLUMN login_key_id;
ALTER TABLE customers DROP COLUMN login_mac;
