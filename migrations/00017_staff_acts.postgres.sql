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
-- mutant:replace UPDATE OR => ./internal/customer TestStaffActionsAreStored
CREATE TRIGGER staff_acts_append_only BEFORE UPDATE OR DELETE ON staff_acts
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER staff_acts_no_truncate BEFORE TRUNCATE ON staff_acts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE customers ADD COLUMN reset_at TIMESTAMPTZ;

-- +goose Down
ALTER TABLE customers DROP COLUMN reset_at;
DROP TABLE staff_acts;
