-- The sums of a wallet: of its whole life, and what was spent on the last day and in the
-- last month in which something was; see internal/ledger/sums.go. NULL: the wallet is not
-- counted, or the account is no wallet. The server counts wallets while it runs.

-- +goose Up
ALTER TABLE accounts
    ADD COLUMN moves BIGINT,
    ADD COLUMN count_in BIGINT,
    ADD COLUMN count_out BIGINT,
    ADD COLUMN sum_out BIGINT,
    ADD COLUMN spent_on BIGINT,
    ADD COLUMN spent_day BIGINT,
    ADD COLUMN spent_month BIGINT;

-- +goose Down
ALTER TABLE accounts
    DROP COLUMN spent_month,
    DROP COLUMN spent_day,
    DROP COLUMN spent_on,
    DROP COLUMN sum_out,
    DROP COLUMN count_out,
    DROP COLUMN count_in,
    DROP COLUMN moves;
