-- Which notices a customer gets by which channel: the choices that differ from the
-- default, a bit each; see customer.Notices.

-- +goose Up
ALTER TABLE customers ADD COLUMN notices BIGINT NOT NULL DEFAULT 0 CHECK (notices = CAST(notices AS BIGINT));

-- +goose Down
ALTER TABLE customers DROP COLUMN notices;
