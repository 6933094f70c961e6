-- What a gateway may call, and how it sends what a phone typed.

-- +goose Up
-- Scopes separated by spaces. '*' is everything: rows from before there were
-- scopes, and rows that a previous release adds; `elsom serve` warns of them.
ALTER TABLE gateways ADD COLUMN scopes VARCHAR(100) NOT NULL DEFAULT '*';
-- all: a request holds all inputs of its session; last: the last one only.
ALTER TABLE gateways ADD COLUMN inputs VARCHAR(10) NOT NULL DEFAULT 'all';

-- +goose Down
ALTER TABLE gateways DROP COLUMN inputs;
ALTER TABLE gateways DROP COLUMN scopes;
