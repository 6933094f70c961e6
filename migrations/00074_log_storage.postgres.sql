-- The hashes of the log can't be compressed, so PostgreSQL need not try.
--
-- It is no transaction, and can be run again after an interruption: a transaction that
-- locks several tables deadlocks with the postings of the previous release.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE log_queue ALTER COLUMN records SET STORAGE EXTERNAL;
ALTER TABLE log_seals ALTER COLUMN records SET STORAGE EXTERNAL;
ALTER TABLE log_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- +goose Down
ALTER TABLE log_tiles ALTER COLUMN hashes SET STORAGE EXTENDED;
ALTER TABLE log_seals ALTER COLUMN records SET STORAGE EXTENDED;
ALTER TABLE log_queue ALTER COLUMN records SET STORAGE EXTENDED;
