-- Due payments, in place of the index of open ones by their age.

-- +goose Up
CREATE INDEX payments_due ON payments (biller, due_at) WHERE state = 'processing';
DROP INDEX payments_open;

-- +goose Down
CREATE INDEX payments_open ON payments (accepted_at) WHERE state = 'processing';
DROP INDEX payments_due;
