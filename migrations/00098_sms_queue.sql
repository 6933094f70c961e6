-- An SMS is its own outbox message. queue is empty in the rows of the previous release,
-- whose outbox messages are in promises; due_at is when it may be acquired, asked_by
-- identifies the call to the gateway. sealed is the text of a message with a code,
-- encrypted until it is sent.

-- +goose Up
ALTER TABLE messages ADD COLUMN queue VARCHAR(10) NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN daily_limit VARCHAR(4) NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN sealed BYTEA;
ALTER TABLE messages ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN due_at TIMESTAMPTZ;
ALTER TABLE messages ADD COLUMN expires_at TIMESTAMPTZ;

-- +goose Down
ALTER TABLE messages DROP COLUMN expires_at;
ALTER TABLE messages DROP COLUMN due_at;
ALTER TABLE messages DROP COLUMN tries;
ALTER TABLE messages DROP COLUMN sealed;
ALTER TABLE messages DROP COLUMN daily_limit;
ALTER TABLE messages DROP COLUMN queue;
