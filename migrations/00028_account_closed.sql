-- The time at which a customer closed the wallet: its balance is zero, and it has no
-- transfers after that.

-- +goose Up
ALTER TABLE accounts ADD COLUMN closed_at TIMESTAMPTZ CHECK (closed_at IS NULL OR balance = 0);
CREATE INDEX accounts_closed ON accounts (id) WHERE closed_at IS NOT NULL;

-- +goose Down
DROP INDEX accounts_closed;
ALTER TABLE accounts DROP COLUMN closed_at;
