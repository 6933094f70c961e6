-- Fills the subjects of transfers posted before. Transfers are append-only by a
-- trigger, which is dropped and made again in this transaction.

-- +goose Up
DROP TRIGGER transfers_no_update;
UPDATE transfers SET subject_kind = s.subject_kind, subject_id = s.id
FROM (
    SELECT CAST('payment:' || CAST(id AS VARCHAR) || ':accept' AS VARCHAR) AS request_key, 'payment' AS subject_kind, id FROM payments
    UNION ALL
    SELECT CAST('payment:' || CAST(id AS VARCHAR) || ':end' AS VARCHAR), 'payment', id FROM payments
    UNION ALL
    SELECT CAST('cashin:' || agent || ':' || txn_id AS VARCHAR), 'cash_in', id FROM cash_ins
    UNION ALL
    SELECT CAST('transfer:' || CAST(id AS VARCHAR) AS VARCHAR), 'wallet_transfer', id FROM wallet_transfers
    UNION ALL
    SELECT CAST('settle:' || kind || ':' || party || ':' || reference AS VARCHAR), 'settlement', id FROM settlements
) s
WHERE transfers.request_key = s.request_key AND transfers.subject_id IS NULL;
-- +goose StatementBegin
CREATE TRIGGER transfers_no_update BEFORE UPDATE ON transfers
BEGIN SELECT RAISE(ABORT, 'transfers is append-only'); END;
-- +goose StatementEnd

-- +goose Down
