-- An SMS about money ends with the balance of its wallet at the time of sending, in
-- the message's language. wallet_id is 0 for other messages and once the balance is
-- part of the text. The previous release adds messages without it and sends all
-- without a balance.

-- +goose Up
ALTER TABLE messages ADD COLUMN wallet_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN lang VARCHAR(2) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN lang;
ALTER TABLE messages DROP COLUMN wallet_id;
