-- The catalog: services, billers, limits, and the number ranges of the carriers.
-- Amounts are whole tyiyn; 0 means no bound. Rows that are no longer in the
-- operator's file are retired, not deleted, because payments and customers refer
-- to them.

-- +goose Up
CREATE TABLE catalog_state (
    id      BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);
-- Version 0 is the empty catalog.
INSERT INTO catalog_state (id, version) VALUES (1, 0);

CREATE TABLE catalog_categories (
    code         VARCHAR(32)  NOT NULL PRIMARY KEY,
    name_ky      VARCHAR(100) NOT NULL,
    name_ru      VARCHAR(100) NOT NULL,
    name_en      VARCHAR(100) NOT NULL,
    ussd_number  BIGINT       NOT NULL,
    ussd_name_ky VARCHAR(20)  NOT NULL,
    ussd_name_ru VARCHAR(20)  NOT NULL,
    ussd_name_en VARCHAR(20)  NOT NULL,
    position     BIGINT       NOT NULL,
    retired      BOOLEAN      NOT NULL
);

CREATE TABLE catalog_billers (
    code                   VARCHAR(32)  NOT NULL PRIMARY KEY,
    name                   VARCHAR(100) NOT NULL,
    url                    VARCHAR(500) NOT NULL,
    answers_stored_outcome BOOLEAN      NOT NULL,
    deadline_ms            BIGINT       NOT NULL CHECK (deadline_ms > 0),
    retired                BOOLEAN      NOT NULL
);

CREATE TABLE catalog_services (
    code            VARCHAR(32)  NOT NULL PRIMARY KEY,
    category        VARCHAR(32)  NOT NULL REFERENCES catalog_categories (code),
    biller          VARCHAR(32)  NOT NULL REFERENCES catalog_billers (code),
    name_ky         VARCHAR(100) NOT NULL,
    name_ru         VARCHAR(100) NOT NULL,
    name_en         VARCHAR(100) NOT NULL,
    label_ky        VARCHAR(100) NOT NULL,
    label_ru        VARCHAR(100) NOT NULL,
    label_en        VARCHAR(100) NOT NULL,
    hint_ky         VARCHAR(300) NOT NULL,
    hint_ru         VARCHAR(300) NOT NULL,
    hint_en         VARCHAR(300) NOT NULL,
    identifier      VARCHAR(10)  NOT NULL CHECK (identifier IN ('inn', 'contract')),
    pattern         VARCHAR(200) NOT NULL,
    minimum         BIGINT       NOT NULL CHECK (minimum = CAST(minimum AS BIGINT) AND minimum >= 0),
    maximum         BIGINT       NOT NULL CHECK (maximum = CAST(maximum AS BIGINT) AND maximum >= 0),
    fee_basis_points BIGINT      NOT NULL CHECK (fee_basis_points BETWEEN 0 AND 10000),
    fee_fixed       BIGINT       NOT NULL CHECK (fee_fixed = CAST(fee_fixed AS BIGINT) AND fee_fixed >= 0),
    fee_minimum     BIGINT       NOT NULL CHECK (fee_minimum = CAST(fee_minimum AS BIGINT) AND fee_minimum >= 0),
    fee_maximum     BIGINT       NOT NULL CHECK (fee_maximum = CAST(fee_maximum AS BIGINT) AND fee_maximum >= 0),
    ussd_number     BIGINT       NOT NULL,
    ussd_name_ky    VARCHAR(20)  NOT NULL,
    ussd_name_ru    VARCHAR(20)  NOT NULL,
    ussd_name_en    VARCHAR(20)  NOT NULL,
    -- One word or phrase a line.
    search          VARCHAR(2000) NOT NULL,
    position        BIGINT       NOT NULL,
    retired         BOOLEAN      NOT NULL
);

CREATE TABLE catalog_levels (
    code      VARCHAR(32) NOT NULL PRIMARY KEY,
    balance   BIGINT      NOT NULL CHECK (balance = CAST(balance AS BIGINT) AND balance >= 0),
    operation BIGINT      NOT NULL CHECK (operation = CAST(operation AS BIGINT) AND operation >= 0),
    day       BIGINT      NOT NULL CHECK (day = CAST(day AS BIGINT) AND day >= 0),
    month     BIGINT      NOT NULL CHECK (month = CAST(month AS BIGINT) AND month >= 0),
    position  BIGINT      NOT NULL,
    retired   BOOLEAN     NOT NULL
);

CREATE TABLE catalog_carriers (
    code     VARCHAR(32)   NOT NULL PRIMARY KEY,
    name     VARCHAR(100)  NOT NULL,
    -- Separated by spaces.
    prefixes VARCHAR(2000) NOT NULL,
    ussd     BOOLEAN       NOT NULL,
    position BIGINT        NOT NULL
);

-- +goose Down
DROP TABLE catalog_carriers;
DROP TABLE catalog_levels;
DROP TABLE catalog_services;
DROP TABLE catalog_billers;
DROP TABLE catalog_categories;
DROP TABLE catalog_state;
