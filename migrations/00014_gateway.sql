-- Gateways that may call the routes for machines: USSD, Kannel, delivery receipts.

-- +goose Up
CREATE TABLE gateways (
    code          VARCHAR(32)   NOT NULL PRIMARY KEY,
    name          VARCHAR(100)  NOT NULL,
    password_hash VARCHAR(200)  NOT NULL,
    -- Addresses that may call, as CIDRs separated by spaces; empty: any.
    allowed       VARCHAR(1000) NOT NULL,
    disabled      BOOLEAN       NOT NULL,
    created_at    TIMESTAMPTZ   NOT NULL
);

-- +goose Down
DROP TABLE gateways;
