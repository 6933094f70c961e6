-- Why a payment was refunded: 'refused' (no earlier attempt was without a final
-- answer), 'stored' (the biller answers stored outcomes by contract), 'decided'
-- (by two members of staff). Empty: it was not refunded, or by an earlier
-- release. `elsom audit` compares it with the attempts and decisions.

-- +goose Up
ALTER TABLE payments ADD COLUMN refund_ground VARCHAR(10) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE payments DROP COLUMN refund_ground;
