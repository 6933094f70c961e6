-- Lists of payments: a customer confirms one as a whole, and each line is then a payment
-- of its own. A line names its draft before it is paid; a draft is paid once.

-- +goose Up
CREATE TABLE payment_lists (
    id           BIGINT      NOT NULL PRIMARY KEY,
    customer_id  BIGINT      NOT NULL,
    service      TEXT        NOT NULL,
    state        TEXT        NOT NULL CHECK (state IN ('checking', 'ready', 'paying', 'done')),
    line_count   BIGINT      NOT NULL CHECK (line_count = CAST(line_count AS BIGINT) AND line_count > 0),
    made_at      TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    confirmed_by TEXT        NOT NULL DEFAULT '',
    session_key  TEXT        NOT NULL DEFAULT '',
    epoch        BIGINT      NOT NULL DEFAULT 0 CHECK (epoch = CAST(epoch AS BIGINT)),
    accepted_at  TIMESTAMPTZ
);
CREATE INDEX payment_lists_open ON payment_lists (id) WHERE accepted_at IS NULL;

-- +goose Down
DROP TABLE payment_lists;
