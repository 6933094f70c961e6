-- The moments from which every row must be signed: a baseline ended the permission for
-- unsigned rows, or the first key of a new database was recorded. The rows are signed
-- and sealed in the log, so that a row of unsigned_allowed can't bring the permission
-- back. Rows are never changed.
--
-- The previous release doesn't sign: where it is not permitted beside this one, it must
-- not start. The baseline does the same when it ends the permission.

-- +goose Up
CREATE TABLE signing_starts (
    id         BIGINT      NOT NULL PRIMARY KEY,
    started_at TIMESTAMPTZ NOT NULL,
    -- baseline, or new: a database without rows of before.
    origin     VARCHAR(10) NOT NULL,
    mac        BYTEA,
    key_id     VARCHAR(12) NOT NULL DEFAULT ''
);
-- +goose StatementBegin
CREATE TRIGGER signing_starts_no_update BEFORE UPDATE ON signing_starts
BEGIN SELECT RAISE(ABORT, 'signing_starts is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
-- mutant:replace ON signing_starts => ON log_state ./internal/database TestAppendOnlyTables
CREATE TRIGGER signing_starts_no_delete BEFORE DELETE ON signing_starts
BEGIN SELECT RAISE(ABORT, 'signing_starts is append-only'); END;
-- +goose StatementEnd
UPDATE schema_compatibility SET serves_from = 70 WHERE serves_from < 70 AND NOT EXISTS (SELECT 1 FROM unsigned_allowed);

-- +goose Down
UPDATE schema_compatibility SET serves_from = 25;
DROP TABLE signing_starts;
