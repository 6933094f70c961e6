-- Payments. A draft is a payment as the payer was shown it; it never changes, and
-- the payment has the same id. An attempt is one call to the biller: it is inserted
-- before the call, and its outcome is unknown until it is stored. Slots bound the
-- concurrent calls to a biller over all processes. Decisions are made by staff;
-- claims are payments that were refunded although the biller booked them.

-- +goose Up
CREATE TABLE drafts (
    id          BIGINT       NOT NULL PRIMARY KEY,
    customer_id BIGINT       NOT NULL,
    service     VARCHAR(40)  NOT NULL,
    biller      VARCHAR(40)  NOT NULL,
    identifier  VARCHAR(64)  NOT NULL,
    payee       VARCHAR(100) NOT NULL,
    amount      BIGINT       NOT NULL CHECK (amount = CAST(amount AS BIGINT) AND amount > 0),
    fee         BIGINT       NOT NULL CHECK (fee = CAST(fee AS BIGINT) AND fee >= 0),
    txn_id      VARCHAR(20)  NOT NULL UNIQUE,
    channel     VARCHAR(10)  NOT NULL,
    made_at     TIMESTAMPTZ  NOT NULL,
    expires_at  TIMESTAMPTZ  NOT NULL
);
CREATE INDEX drafts_expire ON drafts (expires_at);

CREATE TABLE payments (
    id          BIGINT       NOT NULL PRIMARY KEY,
    customer_id BIGINT       NOT NULL,
    service     VARCHAR(40)  NOT NULL,
    biller      VARCHAR(40)  NOT NULL,
    identifier  VARCHAR(64)  NOT NULL,
    payee       VARCHAR(100) NOT NULL,
    amount      BIGINT       NOT NULL CHECK (amount = CAST(amount AS BIGINT) AND amount > 0),
    fee         BIGINT       NOT NULL CHECK (fee = CAST(fee AS BIGINT) AND fee >= 0),
    txn_id      VARCHAR(20)  NOT NULL UNIQUE,
    code        VARCHAR(12)  NOT NULL UNIQUE,
    channel     VARCHAR(10)  NOT NULL,
    state       VARCHAR(10)  NOT NULL CHECK (state IN ('processing', 'completed', 'refunded')),
    accepted_at TIMESTAMPTZ  NOT NULL,
    ended_at    TIMESTAMPTZ,
    result      BIGINT,
    reference   VARCHAR(64)  NOT NULL DEFAULT '',
    asked_at    TIMESTAMPTZ
);
CREATE INDEX payments_customer ON payments (customer_id, accepted_at);
CREATE INDEX payments_open ON payments (accepted_at) WHERE state = 'processing';

CREATE TABLE payment_attempts (
    payment_id BIGINT       NOT NULL,
    number     BIGINT       NOT NULL,
    started_at TIMESTAMPTZ  NOT NULL,
    ended_at   TIMESTAMPTZ,
    outcome    VARCHAR(10)  CHECK (outcome IN ('good', 'refused', 'later', 'unknown')),
    result     BIGINT,
    reference  VARCHAR(64)  NOT NULL DEFAULT '',
    remark     VARCHAR(300) NOT NULL DEFAULT '',
    PRIMARY KEY (payment_id, number)
);

CREATE TABLE payment_decisions (
    payment_id BIGINT       NOT NULL REFERENCES payments (id),
    staff      VARCHAR(60)  NOT NULL,
    decision   VARCHAR(10)  NOT NULL CHECK (decision IN ('complete', 'refund')),
    reason     VARCHAR(300) NOT NULL,
    made_at    TIMESTAMPTZ  NOT NULL,
    PRIMARY KEY (payment_id, staff)
);

CREATE TABLE payment_claims (
    payment_id BIGINT       NOT NULL PRIMARY KEY REFERENCES payments (id),
    reference  VARCHAR(64)  NOT NULL,
    made_at    TIMESTAMPTZ  NOT NULL
);

CREATE TABLE biller_slots (
    biller VARCHAR(40) NOT NULL,
    slot   BIGINT      NOT NULL,
    lease  BIGINT      NOT NULL DEFAULT 0,
    until  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (biller, slot)
);

-- +goose Down
DROP TABLE biller_slots;
DROP TABLE payment_claims;
DROP TABLE payment_decisions;
DROP TABLE payment_attempts;
DROP TABLE payments;
DROP TABLE drafts;
