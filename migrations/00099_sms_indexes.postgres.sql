-- Due SMS, and fewer index entries of a message. An index on asked_at gave each call new entries in all
-- indexes; rows of messages are in the order of made_at, so a few pages find them. The
-- free half of a page is for the rows' next versions: of 480 messages that were acquired, 476
-- needed no new index entries, instead of 91; at the end the table had 24 pages instead of 29.
--
-- It is no transaction, and can be run again after an interruption.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE messages SET (fillfactor = 50);
DROP INDEX CONCURRENTLY IF EXISTS messages_due;
-- mutant:replace state = 'queued' => state = 'sent' ./web TestQueryPlansOfAPayment
CREATE INDEX CONCURRENTLY messages_due ON messages (queue, due_at) WHERE state = 'queued';
DROP INDEX CONCURRENTLY IF EXISTS messages_repeats;
CREATE INDEX CONCURRENTLY messages_repeats ON messages (id) WHERE repeats > 0;
DROP INDEX CONCURRENTLY IF EXISTS messages_age;
CREATE INDEX CONCURRENTLY messages_age ON messages USING brin (made_at) WITH (pages_per_range = 32);
DROP INDEX CONCURRENTLY IF EXISTS messages_repeated;
DROP INDEX CONCURRENTLY IF EXISTS messages_made;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS messages_made;
CREATE INDEX CONCURRENTLY messages_made ON messages (made_at);
DROP INDEX CONCURRENTLY IF EXISTS messages_repeated;
CREATE INDEX CONCURRENTLY messages_repeated ON messages (asked_at) WHERE repeats > 0;
DROP INDEX CONCURRENTLY IF EXISTS messages_age;
DROP INDEX CONCURRENTLY IF EXISTS messages_repeats;
DROP INDEX CONCURRENTLY IF EXISTS messages_due;
ALTER TABLE messages RESET (fillfactor);
