-- The sums of a wallet: of its whole life, and what was spent on the last day and in the
-- last month in which something was; see internal/ledger/sums.go. NULL: the wallet is not
-- counted, or the account is no wallet. The server counts wallets while it runs.

-- +goose Up
ALTER TABLE accounts ADD COLUMN moves BIGINT CHECK (moves = CAST(moves AS BIGINT));
ALTER TABLE accounts ADD COLUMN count_in BIGINT CHECK (count_in = CAST(count_in AS BIGINT));
ALTER TABLE accounts ADD COLUMN count_out BIGINT CHECK (count_out = CAST(count_out AS BIGINT));
ALTER TABLE accounts ADD COLUMN sum_out BIGINT CHECK (sum_out = CAST(sum_out AS BIGINT));
ALTER TABLE accounts ADD COLUMN spent_on BIGINT CHECK (spent_on = CAST(spent_on AS BIGINT));
ALTER TABLE accounts ADD COLUMN spent_day BIGINT CHECK (spent_day = CAST(spent_day AS BIGINT));
ALTER TABLE accounts ADD COLUMN spent_month BIGINT CHECK (spent_month = CAST(spent_month AS BIGINT));

-- +goose Down
ALTER TABLE accounts DROP COLUMN spent_month;
ALTER TABLE accounts DROP COLUMN spent_day;
ALTER TABLE accounts DROP COLUMN spent_on;
ALTER TABLE accounts DROP COLUMN sum_out;
ALTER TABLE accounts DROP COLUMN count_out;
ALTER TABLE accounts DROP COLUMN count_in;
ALTER TABLE accounts DROP COLUMN moves;
