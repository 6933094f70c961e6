-- An attempt that was never sent (no connection to the biller) has an outcome of its
-- own: unlike one that was answered as unfinished it can't have been booked. NOT
-- VALID, because existing rows satisfy the constraint.

-- +goose Up
ALTER TABLE payment_attempts DROP CONSTRAINT payment_attempts_outcome_check,
    ADD CONSTRAINT payment_attempts_outcome_check CHECK (outcome IN ('good', 'refused', 'later', 'unsent', 'unknown')) NOT VALID;

-- +goose Down
UPDATE payment_attempts SET outcome = 'later' WHERE outcome = 'unsent';
ALTER TABLE payment_attempts DROP CONSTRAINT payment_attempts_outcome_check,
    ADD CONSTRAINT payment_attempts_outcome_check CHECK (outcome IN ('good', 'refused', 'later', 'unknown'));
