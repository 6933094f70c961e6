-- The routes that a gateway may call, and the form in which it sends inputs.

-- +goose Up
-- Scopes separated by spaces. '*' means all, in existing rows and in those that the
-- previous release inserts; `elsom serve` warns about them.
ALTER TABLE gateways ADD COLUMN scopes VARCHAR(100) NOT NULL DEFAULT '*';
-- all: a request has all inputs of its session; last: only the last one.
ALTER TABLE gateways ADD COLUMN inputs VARCHAR(10) NOT NULL DEFAULT 'all';

-- +goose Down
ALTER TABLE gateways DROP COLUMN inputs;
ALTER TABLE gateways DROP COLUMN scopes;
