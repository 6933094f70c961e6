-- A payment changes its wallet's row and no index of it: where the page has room
-- for the new version, PostgreSQL leaves the indexes alone.

-- +goose Up
ALTER TABLE accounts SET (fillfactor = 50);

-- +goose Down
ALTER TABLE accounts RESET (fillfactor);
