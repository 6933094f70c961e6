-- Expired drafts are found by their ids, which have the time when they were made.

-- +goose Up
DROP INDEX drafts_expire;
DROP INDEX wallet_transfer_drafts_expire;

-- +goose Down
CREATE INDEX wallet_transfer_drafts_expire ON wallet_transfer_drafts (expires_at);
CREATE INDEX drafts_expire ON drafts (expires_at);
