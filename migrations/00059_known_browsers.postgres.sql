-- Browsers from which money can be sent without a confirmation: those that
-- registered the wallet or confirmed an operation of it.

-- +goose Up
-- Browsers that logged in before this release are known: their rows get the default.
ALTER TABLE familiar_addresses ADD COLUMN known BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE familiar_addresses ALTER COLUMN known SET DEFAULT FALSE;
ALTER TABLE sessions ADD COLUMN known BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE sessions DROP COLUMN known;
ALTER TABLE familiar_addresses DROP COLUMN known;
