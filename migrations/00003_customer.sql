-- Holders of wallets. A customer's id is also the id of the wallet's account.

-- +goose Up
CREATE TABLE customers (
    id            BIGINT       NOT NULL PRIMARY KEY,
    phone         VARCHAR(16)  NOT NULL UNIQUE, -- +996 and nine digits
    email         VARCHAR(254) NOT NULL, -- empty until registered on the site
    lang          VARCHAR(2)   NOT NULL CHECK (lang IN ('ky', 'ru', 'en')),
    password_hash VARCHAR(200) NOT NULL, -- empty until registered on the site
    blocked       BOOLEAN      NOT NULL,
    hold_until    TIMESTAMPTZ,
    session_epoch BIGINT       NOT NULL,
    level         VARCHAR(40)  NOT NULL,
    created_at    TIMESTAMPTZ  NOT NULL
);

-- Acceptances of editions of the public offer.
CREATE TABLE offer_acceptances (
    customer_id BIGINT      NOT NULL REFERENCES customers (id),
    version     VARCHAR(20) NOT NULL,
    accepted_at TIMESTAMPTZ NOT NULL,
    address     VARCHAR(64) NOT NULL,
    channel     VARCHAR(10) NOT NULL,
    PRIMARY KEY (customer_id, version)
);

-- Addresses from which a customer has logged in, as keyed hashes.
CREATE TABLE familiar_addresses (
    customer_id BIGINT      NOT NULL REFERENCES customers (id),
    address     VARCHAR(64) NOT NULL,
    seen_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (customer_id, address)
);

-- SMS codes that browser sessions wait for, at most one for each purpose. A code
-- is stored as a keyed hash over the code and everything that it confirms.
CREATE TABLE confirmations (
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
CREATE INDEX confirmations_expires ON confirmations (expires_at);

-- +goose Down
DROP TABLE confirmations;
DROP TABLE familiar_addresses;
DROP TABLE offer_acceptances;
DROP TABLE customers;
