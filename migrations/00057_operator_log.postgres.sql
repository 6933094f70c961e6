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
-- mutant:replace UPDATE OR => ./internal/operatorlog TestLogIsAppendOnly
CREATE TRIGGER operator_log_append_only BEFORE UPDATE OR DELETE ON operator_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER operator_log_no_truncate BEFORE TRUNCATE ON operator_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- +goose Down
DROP TABLE operator_log;
