-- The browser and the system of a login, such as "Chrome, Android", for the holder's log of
-- logins: one of a few words of the program.

-- +goose Up
ALTER TABLE security_events ADD COLUMN device VARCHAR(40) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE security_events DROP COLUMN device;
