-- With what the portal logs in at billers (HTTP Basic). The password is sealed
-- with the server's key and can be read with it only.

-- +goose Up
CREATE TABLE biller_logins (
    biller   VARCHAR(32)   NOT NULL PRIMARY KEY,
    username VARCHAR(100)  NOT NULL,
    sealed   VARCHAR(1000) NOT NULL,
    set_at   TIMESTAMPTZ   NOT NULL
);

-- +goose Down
DROP TABLE biller_logins;
