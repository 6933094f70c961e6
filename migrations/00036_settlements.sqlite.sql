-- Settlements: payments of agents to the settlement account, and from it to billers.

-- +goose Up
CREATE TABLE settlements (
    id         BIGINT       NOT NULL PRIMARY KEY,
    kind       VARCHAR(10)  NOT NULL CHECK (kind IN ('agent', 'biller')),
    party      VARCHAR(32)  NOT NULL,
    -- 1, 2, … for each party. Of two concurrent settlements that were checked against
    -- the same debt, one violates the unique key and is checked again.
    number     BIGINT       NOT NULL,
    -- The number of the bank's payment order; the transfer's key has it too.
    reference  VARCHAR(70)  NOT NULL,
    amount     BIGINT       NOT NULL CHECK (amount = CAST(amount AS BIGINT) AND amount > 0),
    staff      VARCHAR(60)  NOT NULL,
    reason     VARCHAR(300) NOT NULL,
    settled_at TIMESTAMPTZ  NOT NULL,
    UNIQUE (kind, party, number),
    UNIQUE (kind, party, reference)
);
-- +goose StatementBegin
CREATE TRIGGER settlements_no_update BEFORE UPDATE ON settlements
BEGIN SELECT RAISE(ABORT, 'settlements is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER settlements_no_delete BEFORE DELETE ON settlements
BEGIN SELECT RAISE(ABORT, 'settlements is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE settlements;
