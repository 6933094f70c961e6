-- User names and passwords of the portal at billers (HTTP Basic). The password is
-- encrypted with the server's key.

-- +goose Up
CREATE TABLE biller_logins (
    biller   VARCHAR(32)   NOT NULL PRIMARY KEY,
    username VARCHAR(100)  NOT NULL,
    sealed   VARCHAR(1000) NOT NULL,
    set_at   TIMESTAMPTZ   NOT NULL
);

-- +goose Down
DROP TABLE biller_logins;
