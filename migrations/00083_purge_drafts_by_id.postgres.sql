-- Expired drafts are found by their ids, which have the time when they were made.

-- +goose NO TRANSACTION
-- +goose Up
-- mutant:replace DROP INDEX CONCURRENTLY IF EXISTS drafts_expire; => ./web TestIndexesAreUsed
DROP INDEX CONCURRENTLY IF EXISTS drafts_expire;
DROP INDEX CONCURRENTLY IF EXISTS wallet_transfer_drafts_expire;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS wallet_transfer_drafts_expire;
CREATE INDEX CONCURRENTLY wallet_transfer_drafts_expire ON wallet_transfer_drafts (expires_at);
DROP INDEX CONCURRENTLY IF EXISTS drafts_expire;
CREATE INDEX CONCURRENTLY drafts_expire ON drafts (expires_at);
