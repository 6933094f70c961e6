-- The id of a decision, by which the log finds it, never changes. On PostgreSQL the
-- trigger of all columns sees to it.

-- +goose Up
-- +goose StatementBegin
CREATE TRIGGER payment_decisions_id_once BEFORE UPDATE OF id ON payment_decisions WHEN OLD.id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'payment_decisions is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER payment_decisions_id_once;
