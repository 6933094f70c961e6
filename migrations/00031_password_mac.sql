-- A keyed hash of the right password beside its slow hash, by which a machine
-- at work is recognized before anything is counted, also after a restart. Empty
-- until the password was first found right.

-- +goose Up
ALTER TABLE agents ADD COLUMN password_mac VARCHAR(64) NOT NULL DEFAULT '';
ALTER TABLE gateways ADD COLUMN password_mac VARCHAR(64) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE gateways DROP COLUMN password_mac;
ALTER TABLE agents DROP COLUMN password_mac;
