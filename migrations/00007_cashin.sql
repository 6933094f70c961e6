-- Agents that take cash, and their cash-ins. Sums are whole tyiyn. There is one
-- row for each txn_id of an agent, and it is never deleted: each repeat of a
-- request gets the same final result.

-- +goose Up
CREATE TABLE agents (
    code          VARCHAR(32)   NOT NULL PRIMARY KEY,
    name          VARCHAR(100)  NOT NULL,
    password_hash VARCHAR(200)  NOT NULL,
    -- Addresses that may call, as CIDRs separated by spaces; empty: any.
    allowed       VARCHAR(1000) NOT NULL,
    -- The largest debt of the agent; the floor of its till in the books is minus this.
    ceiling       BIGINT        NOT NULL CHECK (ceiling = CAST(ceiling AS BIGINT) AND ceiling > 0),
    till_id       BIGINT        NOT NULL,
    disabled      BOOLEAN       NOT NULL,
    created_at    TIMESTAMPTZ   NOT NULL
);

CREATE TABLE cash_ins (
    -- The prv_txn of OSMP.
    id          BIGINT       NOT NULL PRIMARY KEY,
    agent       VARCHAR(32)  NOT NULL REFERENCES agents (code),
    txn_id      VARCHAR(28)  NOT NULL,
    -- YYYYMMDDHHMMSS by the terminal's clock; registries select by it.
    txn_date    VARCHAR(14)  NOT NULL,
    -- The wallet's number as +996…, or the text of the request if it is not a number.
    account     VARCHAR(200) NOT NULL,
    sum         BIGINT       NOT NULL CHECK (sum = CAST(sum AS BIGINT) AND sum >= 0),
    result      BIGINT       NOT NULL CHECK (result IN (0, 4, 5, 7, 79, 241, 242, 300)),
    -- The credited customer; 0 if nothing was credited.
    customer_id BIGINT       NOT NULL,
    received_at TIMESTAMPTZ  NOT NULL,
    UNIQUE (agent, txn_id),
    CHECK ((result = 0) = (customer_id <> 0))
);
CREATE INDEX cash_ins_customer ON cash_ins (customer_id, id) WHERE customer_id <> 0;
CREATE INDEX cash_ins_registry ON cash_ins (agent, txn_date);

-- +goose Down
DROP TABLE cash_ins;
DROP TABLE agents;
