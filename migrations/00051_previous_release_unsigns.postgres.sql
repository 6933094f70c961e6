-- The previous release changes agents and customers beside this one and doesn't sign:
-- a row that it changes would keep a signature of what it was, and count as forged.
-- These triggers make such a row unsigned. This release stores the new signature in the
-- statement after the change. A later release drops the triggers.
--
-- A decision of the previous release has no id: it gets the hash of its key.
--
-- SQLite needs none of them: one process has the file, so no other release writes
-- beside it.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION unsign_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.mac := NULL;
    NEW.key_id := '';
    RETURN NEW;
END
$$;
-- +goose StatementEnd
-- mutant:replace BEFORE UPDATE ON agents => AFTER UPDATE ON agents ./internal/database TestPreviousReleaseUnsignsRows
CREATE TRIGGER agents_unsign BEFORE UPDATE ON agents FOR EACH ROW
    WHEN (NEW.mac IS NOT DISTINCT FROM OLD.mac AND
        (NEW.code, NEW.name, NEW.password_hash, NEW.allowed, NEW.ceiling, NEW.till_id, NEW.disabled)
        IS DISTINCT FROM (OLD.code, OLD.name, OLD.password_hash, OLD.allowed, OLD.ceiling, OLD.till_id, OLD.disabled))
    EXECUTE FUNCTION unsign_row();
-- mutant:replace BEFORE UPDATE ON customers => AFTER UPDATE ON customers ./internal/database TestPreviousReleaseUnsignsRows
CREATE TRIGGER customers_unsign BEFORE UPDATE ON customers FOR EACH ROW
    WHEN (NEW.mac IS NOT DISTINCT FROM OLD.mac AND
        (NEW.id, NEW.phone, NEW.closed_phone, NEW.level, NEW.blocked) IS DISTINCT FROM (OLD.id, OLD.phone, OLD.closed_phone, OLD.level, OLD.blocked))
    EXECUTE FUNCTION unsign_row();
-- +goose StatementBegin
CREATE FUNCTION fill_decision_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.id := hashtextextended(NEW.payment_id || ':' || NEW.staff, 0) & 9223372036854775807;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER payment_decisions_fill_id BEFORE INSERT ON payment_decisions
    FOR EACH ROW WHEN (NEW.id IS NULL) EXECUTE FUNCTION fill_decision_id();

-- +goose Down
DROP TRIGGER payment_decisions_fill_id ON payment_decisions;
DROP FUNCTION fill_decision_id();
DROP TRIGGER customers_unsign ON customers;
DROP TRIGGER agents_unsign ON agents;
DROP FUNCTION unsign_row();
