-- Actions of staff on customers, which are never changed; and the time when a
-- password was last set by an SMS code.

-- +goose Up
CREATE TABLE staff_acts (
    id          BIGINT       NOT NULL PRIMARY KEY,
    done_at     TIMESTAMPTZ  NOT NULL,
    staff       VARCHAR(60)  NOT NULL,
    act         VARCHAR(40)  NOT NULL,
    customer_id BIGINT       NOT NULL REFERENCES customers (id),
    reason      VARCHAR(300) NOT NULL
);
CREATE INDEX staff_acts_customer ON staff_acts (customer_id);
-- +goose StatementBegin
CREATE TRIGGER staff_acts_no_update BEFORE UPDATE ON staff_acts
BEGIN SELECT RAISE(ABORT, 'staff_acts is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
-- mutant:replace ON staff_acts => ON promises ./internal/customer TestStaffActionsAreStored
CREATE TRIGGER staff_acts_no_delete BEFORE DELETE ON staff_acts
BEGIN SELECT RAISE(ABORT, 'staff_acts is append-only'); END;
-- +goose StatementEnd
ALTER TABLE customers ADD COLUMN reset_at TIMESTAMPTZ;

-- +goose Down
ALTER TABLE customers DROP COLUMN reset_at;
DROP TABLE staff_acts;
