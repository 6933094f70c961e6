-- Templates by which customers fill payment forms again. A wallet has one for each service
-- and identifier.

-- +goose Up
CREATE TABLE payment_templates (
    id          BIGINT      NOT NULL PRIMARY KEY,
    customer_id BIGINT      NOT NULL,
    service     TEXT        COLLATE "C" NOT NULL,
    identifier  TEXT        COLLATE "C" NOT NULL,
    payee       TEXT        NOT NULL,
    name        TEXT        NOT NULL,
    amount      BIGINT      NOT NULL DEFAULT 0 CHECK (amount >= 0),
    position    BIGINT      NOT NULL,
    made_at     TIMESTAMPTZ NOT NULL,
    UNIQUE (customer_id, service, identifier)
);

-- +goose Down
DROP TABLE payment_templates;
