-- A payment is its own outbox message. due_at is when it may be delivered, NULL in the rows
-- of the previous release, whose messages are in promises; lease identifies the worker that
-- has acquired it, until leased_until. None of them is signed: they only schedule calls.

-- +goose Up
ALTER TABLE payments ADD COLUMN due_at TIMESTAMPTZ;
ALTER TABLE payments ADD COLUMN lease BIGINT NOT NULL DEFAULT 0;
ALTER TABLE payments ADD COLUMN leased_until TIMESTAMPTZ;

-- +goose Down
ALTER TABLE payments DROP COLUMN leased_until;
ALTER TABLE payments DROP COLUMN lease;
ALTER TABLE payments DROP COLUMN due_at;
