-- Signatures of drafts: see internal/draft. They are NULL in drafts of the previous
-- release, which this one accepts as long as unsigned rows are permitted.

-- +goose Up
ALTER TABLE drafts ADD COLUMN mac BYTEA;
ALTER TABLE drafts ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';
ALTER TABLE wallet_transfer_drafts ADD COLUMN mac BYTEA;
ALTER TABLE wallet_transfer_drafts ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE wallet_transfer_drafts DROP COLUMN key_id;
ALTER TABLE wallet_transfer_drafts DROP COLUMN mac;
ALTER TABLE drafts DROP COLUMN key_id;
ALTER TABLE drafts DROP COLUMN mac;
