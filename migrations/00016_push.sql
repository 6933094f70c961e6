-- Browsers in which a customer has allowed push notifications about payments.

-- +goose Up
CREATE TABLE push_addresses (
    id            BIGINT        NOT NULL PRIMARY KEY,
    customer_id   BIGINT        NOT NULL REFERENCES customers (id),
    epoch         BIGINT        NOT NULL, -- the customer's session epoch: a new password ends the notifications too
    key_hash      VARCHAR(16)   NOT NULL, -- of the server's key with which the browser subscribed
    endpoint_hash VARCHAR(64)   NOT NULL UNIQUE, -- a browser belongs to one customer
    endpoint      VARCHAR(1000) NOT NULL,
    p256dh        VARCHAR(100)  NOT NULL,
    auth          VARCHAR(30)   NOT NULL,
    device        VARCHAR(60)   NOT NULL,
    made_at       TIMESTAMPTZ   NOT NULL
);
CREATE INDEX push_addresses_customer ON push_addresses (customer_id);

-- +goose Down
DROP TABLE push_addresses;
