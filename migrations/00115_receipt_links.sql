-- Links by which customers share receipts. A link's secret is computed from its row with
-- the server's key and is not stored. A link that was revoked is deleted.

-- +goose Up
CREATE TABLE receipt_links (
    id          BIGINT      NOT NULL PRIMARY KEY,
    customer_id BIGINT      NOT NULL,
    payment_id  BIGINT      NOT NULL,
    made_at     TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL,
    views       BIGINT      NOT NULL DEFAULT 0 CHECK (views = CAST(views AS BIGINT) AND views >= 0),
    UNIQUE (customer_id, payment_id)
);

-- +goose Down
DROP TABLE receipt_links;
