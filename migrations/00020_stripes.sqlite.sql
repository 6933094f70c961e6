-- Accounts without a floor are credited by many payments. With the balance in one
-- row, each batch of postings waited for the commit of the one before. Each writer
-- therefore adds to a stripe of its own; accounts.balance keeps the amount from
-- before. The balance of an account is the one of the view balances.

-- +goose Up
CREATE TABLE stripes (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    stripe     BIGINT NOT NULL,
    balance    BIGINT NOT NULL CHECK (balance = CAST(balance AS BIGINT)),
    PRIMARY KEY (account_id, stripe)
);
CREATE VIEW balances AS
    SELECT a.id, a.kind, a.subject, a.currency, a.floor, a.opened_at,
        a.balance + CASE WHEN a.floor IS NOT NULL THEN 0
            ELSE CAST(COALESCE((SELECT SUM(s.balance) FROM stripes s WHERE s.account_id = a.id), 0) AS BIGINT) END AS balance
    FROM accounts a;
-- +goose StatementBegin
-- mutant:replace SELECT RAISE(ABORT, 'stripes are never deleted') => SELECT 1 ./internal/ledger TestNothingErased
CREATE TRIGGER stripes_no_delete BEFORE DELETE ON stripes
BEGIN SELECT RAISE(ABORT, 'stripes are never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stripes_identity BEFORE UPDATE OF account_id, stripe ON stripes
BEGIN SELECT RAISE(ABORT, 'a stripe stays that of its account'); END;
-- +goose StatementEnd

-- +goose Down
DROP VIEW balances;
-- mutant:replace floor IS NULL AND => ./internal/ledger TestStripesRollBackIntoAccounts
UPDATE accounts SET balance = balance + (SELECT CAST(SUM(s.balance) AS BIGINT) FROM stripes s WHERE s.account_id = accounts.id)
    WHERE floor IS NULL AND id IN (SELECT account_id FROM stripes); -- with a floor, the balance is in one row
DROP TABLE stripes;
