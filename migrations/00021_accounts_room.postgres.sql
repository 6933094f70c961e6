-- A payment updates no indexed column of its wallet's row. If the page has room for
-- the new version, PostgreSQL need not update the indexes (HOT update).

-- +goose Up
ALTER TABLE accounts SET (fillfactor = 50);

-- +goose Down
ALTER TABLE accounts RESET (fillfactor);
