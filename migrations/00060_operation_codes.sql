-- SMS codes that confirm one operation of a browser session: a payment or transfer
-- above the operator's sum or from an unknown browser, a login after many failures,
-- an unknown browser. A code is stored as a keyed hash over the code, the session
-- and what the code confirms.

-- +goose Up
CREATE TABLE operation_codes (
    session_key VARCHAR(64) NOT NULL,
    operation   VARCHAR(40) NOT NULL, -- payment:DRAFT, transfer:DRAFT, login, browser
    customer_id BIGINT      NOT NULL REFERENCES customers (id),
    code_hash   VARCHAR(64) NOT NULL,
    codes       BIGINT      NOT NULL CHECK (codes BETWEEN 1 AND 4), -- sent for the operation
    tries       BIGINT      NOT NULL CHECK (tries BETWEEN 0 AND 5), -- at the last code
    created_at  TIMESTAMPTZ NOT NULL,
    sent_at     TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL,
    used_at     TIMESTAMPTZ,
    PRIMARY KEY (session_key, operation)
);
CREATE INDEX operation_codes_expires ON operation_codes (expires_at);

-- The browser session that confirmed the draft; empty: none.
ALTER TABLE drafts ADD COLUMN confirmed_by VARCHAR(64) NOT NULL DEFAULT '';
ALTER TABLE wallet_transfer_drafts ADD COLUMN confirmed_by VARCHAR(64) NOT NULL DEFAULT '';

-- Operations above this amount are confirmed; 0: none is because of its amount.
ALTER TABLE catalog_levels ADD COLUMN confirm_above BIGINT NOT NULL DEFAULT 500000
    CHECK (confirm_above = CAST(confirm_above AS BIGINT) AND confirm_above >= 0);

-- +goose Down
ALTER TABLE catalog_levels DROP COLUMN confirm_above;
ALTER TABLE wallet_transfer_drafts DROP COLUMN confirmed_by;
ALTER TABLE drafts DROP COLUMN confirmed_by;
DROP TABLE operation_codes;
