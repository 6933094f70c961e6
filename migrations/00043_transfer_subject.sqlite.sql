-- What a transfer is about: a row of payments, cash_ins, wallet_transfers or
-- settlements, by its id. NULL in transfers about none of them, such as corrections.

-- +goose Up
ALTER TABLE transfers ADD COLUMN subject_kind VARCHAR(20);
ALTER TABLE transfers ADD COLUMN subject_id BIGINT CHECK (subject_id = CAST(subject_id AS BIGINT));

-- +goose Down
ALTER TABLE transfers DROP COLUMN subject_id;
ALTER TABLE transfers DROP COLUMN subject_kind;
