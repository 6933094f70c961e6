-- A customer whose wallet is closed keeps the row; the number moves to
-- closed_phone, so that it is free for a new wallet.

-- +goose Up
ALTER TABLE customers ADD COLUMN closed_at TIMESTAMPTZ;
ALTER TABLE customers ADD COLUMN closed_phone VARCHAR(16) NOT NULL DEFAULT '';
CREATE INDEX customers_closed_phone ON customers (closed_phone, closed_at) WHERE closed_phone <> '';

-- +goose Down
DROP INDEX customers_closed_phone;
ALTER TABLE customers DROP COLUMN closed_phone;
ALTER TABLE customers DROP COLUMN closed_at;
