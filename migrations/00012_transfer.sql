-- Transfers from wallet to wallet. A draft is a transfer as the sender was shown
-- it; it never changes, and the transfer has the same id. Names are stored masked,
-- as they were shown.

-- +goose Up
CREATE TABLE wallet_transfer_drafts (
    id          BIGINT       NOT NULL PRIMARY KEY,
    sender_id   BIGINT       NOT NULL,
    receiver_id BIGINT       NOT NULL,
    phone       VARCHAR(20)  NOT NULL,
    receiver    VARCHAR(100) NOT NULL,
    amount      BIGINT       NOT NULL CHECK (amount = CAST(amount AS BIGINT) AND amount > 0),
    channel     VARCHAR(10)  NOT NULL,
    made_at     TIMESTAMPTZ  NOT NULL,
    expires_at  TIMESTAMPTZ  NOT NULL,
    CHECK (sender_id <> receiver_id)
);
CREATE INDEX wallet_transfer_drafts_expire ON wallet_transfer_drafts (expires_at);

CREATE TABLE wallet_transfers (
    id             BIGINT       NOT NULL PRIMARY KEY,
    sender_id      BIGINT       NOT NULL,
    receiver_id    BIGINT       NOT NULL,
    sender_phone   VARCHAR(20)  NOT NULL,
    receiver_phone VARCHAR(20)  NOT NULL,
    sender         VARCHAR(100) NOT NULL,
    receiver       VARCHAR(100) NOT NULL,
    amount         BIGINT       NOT NULL CHECK (amount = CAST(amount AS BIGINT) AND amount > 0),
    channel        VARCHAR(10)  NOT NULL,
    accepted_at    TIMESTAMPTZ  NOT NULL,
    CHECK (sender_id <> receiver_id)
);
CREATE INDEX wallet_transfers_sender ON wallet_transfers (sender_id, accepted_at);

-- +goose Down
DROP TABLE wallet_transfers;
DROP TABLE wallet_transfer_drafts;
