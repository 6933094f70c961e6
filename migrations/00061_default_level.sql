-- The code of the level of newly registered customers. Existing catalogs keep the one
-- level that earlier releases gave to every customer.

-- +goose Up
ALTER TABLE catalog_state ADD COLUMN default_level VARCHAR(32) NOT NULL DEFAULT 'standard';

-- +goose Down
ALTER TABLE catalog_state DROP COLUMN default_level;
