-- Promises that were written in the transaction that made them due, and are
-- kept after its commit. A lane is one kind of work (SMS, e-mail, deliveries to
-- one biller). One promise an event: the key is unique within its lane.

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
