-- The books: accounts, transfers, and the entries that each transfer consists of.
-- Amounts and balances are whole tyiyn; a credit is positive. A balance is the
-- sum of its entries. Entries have no foreign keys, which would take nearly half
-- of the time of a posting; `elsom audit` checks what they would have enforced.

-- +goose Up
-- mutant:replace , CHECK (floor IS NULL OR balance >= floor) => ./internal/ledger TestNoDebtInTheDatabase
CREATE TABLE accounts (
    id        BIGINT      NOT NULL PRIMARY KEY,
    kind      VARCHAR(20) NOT NULL,
    subject   VARCHAR(64) NOT NULL,
    currency  VARCHAR(3)  NOT NULL,
    balance   BIGINT      NOT NULL DEFAULT 0 CHECK (balance = CAST(balance AS BIGINT)),
    floor     BIGINT      CHECK (floor = CAST(floor AS BIGINT)),
    opened_at TIMESTAMPTZ NOT NULL,
    UNIQUE (kind, subject),
    CHECK (floor IS NULL OR balance >= floor)
);

-- mutant:replace UNIQUE => ./internal/ledger TestOnceOnlyInTheDatabase
CREATE TABLE transfers (
    id           BIGINT       NOT NULL PRIMARY KEY,
    request_key  VARCHAR(120) NOT NULL UNIQUE,
    request_hash VARCHAR(64)  NOT NULL,
    act          VARCHAR(40)  NOT NULL,
    corrects     BIGINT       REFERENCES transfers (id),
    posted_at    TIMESTAMPTZ  NOT NULL
);

CREATE TABLE entries (
    transfer_id BIGINT NOT NULL,
    line        BIGINT NOT NULL,
    account_id  BIGINT NOT NULL,
    amount      BIGINT NOT NULL CHECK (amount = CAST(amount AS BIGINT) AND amount <> 0),
    PRIMARY KEY (transfer_id, line)
);
CREATE INDEX entries_account ON entries (account_id, transfer_id);

-- +goose Down
DROP TABLE entries;
DROP TABLE transfers;
DROP TABLE accounts;
