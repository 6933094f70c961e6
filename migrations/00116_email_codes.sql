-- The code that confirms a wallet's e-mail address: one for a wallet, the last that was
-- sent. Its hash covers the address, so that it confirms no other one.

-- +goose Up
CREATE TABLE email_codes (
    customer_id BIGINT      NOT NULL PRIMARY KEY,
    code_hash   VARCHAR(64) NOT NULL,
    tries       BIGINT      NOT NULL CHECK (tries = CAST(tries AS BIGINT) AND tries >= 0),
    sent_at     TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL
);

-- +goose Down
DROP TABLE email_codes;
