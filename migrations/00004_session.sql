-- Browser sessions. The id is the hash of the token in the cookie.

-- +goose Up
CREATE TABLE sessions (
    id          VARCHAR(64)   NOT NULL PRIMARY KEY,
    handle      BIGINT        NOT NULL UNIQUE, -- names the session where its owner ends it from another one
    customer_id BIGINT        REFERENCES customers (id), -- NULL: not signed in
    epoch       BIGINT        NOT NULL, -- the customer's session epoch at login
    data        VARCHAR(4000) NOT NULL, -- JSON object of texts
    version     BIGINT        NOT NULL, -- grows with each write of data
    device      VARCHAR(60)   NOT NULL,
    created_at  TIMESTAMPTZ   NOT NULL,
    seen_at     TIMESTAMPTZ   NOT NULL,
    ends_at     TIMESTAMPTZ   NOT NULL
);
CREATE INDEX sessions_customer ON sessions (customer_id);
CREATE INDEX sessions_seen ON sessions (seen_at);

-- +goose Down
DROP TABLE sessions;
