-- Push notifications end with the session in which they were allowed. Sessions and
-- subscriptions store the hash of a secret that the browser keeps across logins.

-- +goose Up
ALTER TABLE sessions ADD COLUMN browser VARCHAR(64) NOT NULL DEFAULT '';
DELETE FROM push_addresses;
ALTER TABLE push_addresses ADD COLUMN browser VARCHAR(64) NOT NULL DEFAULT '';
CREATE INDEX push_addresses_browser ON push_addresses (browser);

-- +goose Down
DROP INDEX push_addresses_browser;
ALTER TABLE push_addresses DROP COLUMN browser;
ALTER TABLE sessions DROP COLUMN browser;
