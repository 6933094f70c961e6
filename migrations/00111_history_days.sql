-- The sums of a wallet's operations by day in Bishkek, kind and service, as far as the
-- transfer in its mark; see internal/history/days.go. They are derived from the entries,
-- only for wallets with many operations, when their history is shown; `elsom audit` proves
-- them. The previous release neither reads nor writes them.

-- +goose Up
CREATE TABLE history_marks (
    account_id  BIGINT NOT NULL PRIMARY KEY,
    transfer_id BIGINT NOT NULL,
    balance     BIGINT NOT NULL CHECK (balance = CAST(balance AS BIGINT)),
    entries     BIGINT NOT NULL
);

CREATE TABLE history_days (
    account_id BIGINT      NOT NULL,
    day        BIGINT      NOT NULL,
    kind       VARCHAR(10) NOT NULL,
    service    VARCHAR(40) NOT NULL,
    operations BIGINT      NOT NULL,
    amount     BIGINT      NOT NULL CHECK (amount = CAST(amount AS BIGINT)),
    PRIMARY KEY (account_id, day, kind, service)
);

-- +goose Down
DROP TABLE history_days;
DROP TABLE history_marks;
