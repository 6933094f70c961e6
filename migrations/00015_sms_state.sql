-- SMS and their states. A row is inserted before a message is first sent to the
-- gateway. Codes and PINs are masked in the text.

-- +goose Up
CREATE TABLE messages (
    id       BIGINT        NOT NULL PRIMARY KEY,
    key      VARCHAR(120)  NOT NULL UNIQUE, -- key of its outbox message
    phone    VARCHAR(16)   NOT NULL,
    text     VARCHAR(1000) NOT NULL,
    state    VARCHAR(10)   NOT NULL CHECK (state IN ('queued', 'sent', 'delivered', 'failed')),
    repeats  BIGINT        NOT NULL DEFAULT 0, -- calls after a lost response
    asked_by BIGINT        NOT NULL DEFAULT 0, -- lease token of a call without a response
    asked_at TIMESTAMPTZ,
    made_at  TIMESTAMPTZ   NOT NULL,
    sent_at  TIMESTAMPTZ,
    ended_at TIMESTAMPTZ
);
CREATE INDEX messages_phone ON messages (phone, id);
CREATE INDEX messages_made ON messages (made_at);
CREATE INDEX messages_repeated ON messages (asked_at) WHERE repeats > 0;

-- +goose Down
DROP TABLE messages;
