-- A keyed hash of the right password in addition to its slow hash. It lets a machine
-- authenticate without being counted by the rate limits, also after a restart.
-- Empty until the password was first verified.

-- +goose Up
ALTER TABLE agents ADD COLUMN password_mac VARCHAR(64) NOT NULL DEFAULT '';
ALTER TABLE gateways ADD COLUMN password_mac VARCHAR(64) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE gateways DROP COLUMN password_mac;
ALTER TABLE agents DROP COLUMN password_mac;
