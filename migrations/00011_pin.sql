-- PINs, and wallets opened by *900#.

-- +goose Up
-- Name and personal ИНН, given at registration by *900#.
ALTER TABLE customers ADD COLUMN name VARCHAR(160) NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN inn VARCHAR(14) NOT NULL DEFAULT '';
-- The channel that opened the wallet: web or ussd.
ALTER TABLE customers ADD COLUMN registered VARCHAR(10) NOT NULL DEFAULT 'web';
ALTER TABLE customers ADD COLUMN has_pin BOOLEAN NOT NULL DEFAULT FALSE;
-- The PIN must be entered on the site before money can be sent from there.
ALTER TABLE customers ADD COLUMN pin_owed BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE pins (
    customer_id  BIGINT       NOT NULL PRIMARY KEY REFERENCES customers (id),
    pin_hash     VARCHAR(200) NOT NULL,
    version      BIGINT       NOT NULL, -- identifies the hash function and the pepper
    issued       BOOLEAN      NOT NULL, -- generated and sent by SMS: confirms one operation
    used_for     VARCHAR(60)  NOT NULL, -- key of the operation that an issued PIN has confirmed; empty: none
    tries        BIGINT       NOT NULL CHECK (tries BETWEEN 0 AND 5), -- since the last right one or lock
    locks        BIGINT       NOT NULL CHECK (locks >= 0), -- since the last right one
    locked_until TIMESTAMPTZ,
    set_at       TIMESTAMPTZ  NOT NULL
);

-- Adds the purpose 'unlock': codes that reset the attempts at a PIN. The table is
-- copied because SQLite can't change a CHECK in place.
CREATE TABLE confirmations_next (
    session_key   VARCHAR(64)  NOT NULL,
    purpose       VARCHAR(10)  NOT NULL CHECK (purpose IN ('signup', 'reset', 'unlock')),
    phone         VARCHAR(16)  NOT NULL,
    email         VARCHAR(254) NOT NULL,
    password_hash VARCHAR(200) NOT NULL,
    offer         VARCHAR(20)  NOT NULL,
    lang          VARCHAR(2)   NOT NULL,
    address       VARCHAR(64)  NOT NULL,
    code_hash     VARCHAR(64)  NOT NULL,
    tries         BIGINT       NOT NULL CHECK (tries BETWEEN 0 AND 5),
    created_at    TIMESTAMPTZ  NOT NULL,
    sent_at       TIMESTAMPTZ  NOT NULL,
    expires_at    TIMESTAMPTZ  NOT NULL,
    used_at       TIMESTAMPTZ,
    PRIMARY KEY (session_key, purpose)
);
INSERT INTO confirmations_next SELECT * FROM confirmations;
DROP TABLE confirmations;
ALTER TABLE confirmations_next RENAME TO confirmations;
CREATE INDEX confirmations_expires ON confirmations (expires_at);

-- +goose Down
CREATE TABLE confirmations_before (
    session_key   VARCHAR(64)  NOT NULL,
    purpose       VARCHAR(10)  NOT NULL CHECK (purpose IN ('signup', 'reset')),
    phone         VARCHAR(16)  NOT NULL,
    email         VARCHAR(254) NOT NULL,
    password_hash VARCHAR(200) NOT NULL,
    offer         VARCHAR(20)  NOT NULL,
    lang          VARCHAR(2)   NOT NULL,
    address       VARCHAR(64)  NOT NULL,
    code_hash     VARCHAR(64)  NOT NULL,
    tries         BIGINT       NOT NULL CHECK (tries BETWEEN 0 AND 5),
    created_at    TIMESTAMPTZ  NOT NULL,
    sent_at       TIMESTAMPTZ  NOT NULL,
    expires_at    TIMESTAMPTZ  NOT NULL,
    used_at       TIMESTAMPTZ,
    PRIMARY KEY (session_key, purpose)
);
INSERT INTO confirmations_before SELECT * FROM confirmations WHERE purpose <> 'unlock';
DROP TABLE confirmations;
ALTER TABLE confirmations_before RENAME TO confirmations;
CREATE INDEX confirmations_expires ON confirmations (expires_at);

DROP TABLE pins;
ALTER TABLE customers DROP COLUMN pin_owed;
ALTER TABLE customers DROP COLUMN has_pin;
ALTER TABLE customers DROP COLUMN registered;
ALTER TABLE customers DROP COLUMN inn;
ALTER TABLE customers DROP COLUMN name;
