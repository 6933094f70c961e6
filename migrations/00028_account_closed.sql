-- A wallet that its holder has closed: from then on nothing moves into or out of
-- it, and it holds nothing.

-- +goose Up
ALTER TABLE accounts ADD COLUMN closed_at TIMESTAMPTZ CHECK (closed_at IS NULL OR balance = 0);
CREATE INDEX accounts_closed ON accounts (id) WHERE closed_at IS NOT NULL;

-- +goose Down
DROP INDEX accounts_closed;
ALTER TABLE accounts DROP COLUMN closed_at;
