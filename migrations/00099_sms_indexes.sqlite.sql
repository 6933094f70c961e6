-- Due SMS.

-- +goose Up
CREATE INDEX messages_due ON messages (queue, due_at) WHERE state = 'queued';

-- +goose Down
DROP INDEX messages_due;
