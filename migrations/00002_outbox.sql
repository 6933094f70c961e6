-- The outbox: messages that are inserted in the transaction that makes the work
-- necessary, and processed after its commit. The names are historical: a row of
-- promises is a message, lane its queue (SMS, e-mail, deliveries to one biller), and
-- the state kept means done. The key identifies an event within its queue.

-- +goose Up
CREATE TABLE promises (
    id           BIGINT       NOT NULL PRIMARY KEY,
    lane         VARCHAR(40)  NOT NULL,
    key          VARCHAR(120) NOT NULL,
    payload      VARCHAR(8000) NOT NULL,
    state        VARCHAR(10)  NOT NULL CHECK (state IN ('open', 'kept', 'failed')),
    tries        BIGINT       NOT NULL DEFAULT 0,
    due_at       TIMESTAMPTZ  NOT NULL,
    lease        BIGINT       NOT NULL DEFAULT 0,
    made_at      TIMESTAMPTZ  NOT NULL,
    ended_at     TIMESTAMPTZ,
    UNIQUE (lane, key)
);
-- mutant:replace lane, due_at => made_at ./web TestQueryPlansOfAPayment
CREATE INDEX promises_due ON promises (lane, due_at) WHERE state = 'open';

-- +goose Down
DROP TABLE promises;
