-- The commands that changed something: who ran them, why, and what was before and
-- after. Rows are never changed.

-- +goose Up
CREATE TABLE operator_log (
    id           BIGINT       NOT NULL PRIMARY KEY,
    done_at      TIMESTAMPTZ  NOT NULL,
    command      VARCHAR(40)  NOT NULL,
    os_user      VARCHAR(60)  NOT NULL,
    -- The name that the person gave; empty where the command does not ask for one.
    staff        VARCHAR(60)  NOT NULL,
    reason       VARCHAR(300) NOT NULL,
    subject      VARCHAR(100) NOT NULL,
    -- JSON objects without secrets; empty: there was or is nothing.
    state_before TEXT         NOT NULL,
    state_after  TEXT         NOT NULL
);
CREATE INDEX operator_log_done ON operator_log (done_at);
-- +goose StatementBegin
CREATE TRIGGER operator_log_no_update BEFORE UPDATE ON operator_log
BEGIN SELECT RAISE(ABORT, 'operator_log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
-- mutant:replace ON operator_log => ON outbox ./internal/operatorlog TestLogIsAppendOnly
CREATE TRIGGER operator_log_no_delete BEFORE DELETE ON operator_log
BEGIN SELECT RAISE(ABORT, 'operator_log is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE operator_log;
