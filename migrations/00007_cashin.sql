-- Agents that take cash, and what they brought. Sums are whole tyiyn.
-- One row for an agent's txn_id, for ever: whatever final result a terminal
-- was told is answered again to each repeat.

-- +goose Up
CREATE TABLE agents (
    code          VARCHAR(32)   NOT NULL PRIMARY KEY,
    name          VARCHAR(100)  NOT NULL,
    password_hash VARCHAR(200)  NOT NULL,
    -- Addresses that may call, as CIDRs separated by spaces; empty: any.
    allowed       VARCHAR(1000) NOT NULL,
    -- What the agent may owe; its till in the books has it as its floor.
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
    -- YYYYMMDDHHMMSS by the terminal's clock; the registry goes by it.
    txn_date    VARCHAR(14)  NOT NULL,
    -- The wallet's number as +996…, or what was sent where it is none.
    account     VARCHAR(200) NOT NULL,
    sum         BIGINT       NOT NULL CHECK (sum = CAST(sum AS BIGINT) AND sum >= 0),
    result      BIGINT       NOT NULL CHECK (result IN (0, 4, 5, 7, 79, 241, 242, 300)),
    -- Whose wallet; 0 where nothing was credited.
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
