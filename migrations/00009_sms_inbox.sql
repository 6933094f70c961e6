-- Messages that are stored instead of sent, in development. Empty in production.

-- +goose Up
CREATE TABLE sms_inbox (
    id         BIGINT       NOT NULL PRIMARY KEY,
    message_id VARCHAR(120) NOT NULL UNIQUE, -- a message that is sent again is stored once
    phone      VARCHAR(16)  NOT NULL,
    text       VARCHAR(1000) NOT NULL,
    created_at TIMESTAMPTZ  NOT NULL
);
CREATE INDEX sms_inbox_phone ON sms_inbox (phone, created_at);

CREATE TABLE email_inbox (
    id         BIGINT       NOT NULL PRIMARY KEY,
    message_id VARCHAR(120) NOT NULL UNIQUE,
    recipient  VARCHAR(254) NOT NULL,
    subject    VARCHAR(200) NOT NULL,
    text       VARCHAR(4000) NOT NULL,
    created_at TIMESTAMPTZ  NOT NULL
);
CREATE INDEX email_inbox_recipient ON email_inbox (recipient, created_at);

-- +goose Down
DROP TABLE email_inbox;
DROP TABLE sms_inbox;
