-- Adds Beeline's range 600 to existing catalogs, unless the operator has changed the
-- ranges.

-- +goose Up
UPDATE catalog_carriers SET prefixes = '77 22 20 600' WHERE code = 'beeline' AND prefixes = '77 22 20';

-- +goose Down
UPDATE catalog_carriers SET prefixes = '77 22 20' WHERE code = 'beeline' AND prefixes = '77 22 20 600';
