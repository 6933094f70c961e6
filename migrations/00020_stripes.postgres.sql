-- Accounts without a floor are credited by many payments. With the balance in one
-- row, each batch of postings waited for the commit of the one before. Each writer
-- therefore adds to a stripe of its own; accounts.balance keeps the amount from
-- before. The balance of an account is the one of the view balances.

-- +goose Up
CREATE TABLE stripes (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    stripe     BIGINT NOT NULL,
    balance    BIGINT NOT NULL,
    PRIMARY KEY (account_id, stripe)
) WITH (fillfactor = 20);
CREATE VIEW balances AS
    SELECT a.id, a.kind, a.subject, a.currency, a.floor, a.opened_at,
        a.balance + CASE WHEN a.floor IS NOT NULL THEN 0
            ELSE CAST(COALESCE((SELECT SUM(s.balance) FROM stripes s WHERE s.account_id = a.id), 0) AS BIGINT) END AS balance
    FROM accounts a;
-- mutant:replace CREATE TRIGGER stripes_no_delete BEFORE DELETE ON stripes FOR EACH ROW EXECUTE FUNCTION refuse_change(); => ./internal/ledger TestNothingErased
CREATE TRIGGER stripes_no_delete BEFORE DELETE ON stripes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stripes_no_truncate BEFORE TRUNCATE ON stripes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER stripes_identity BEFORE UPDATE OF account_id, stripe ON stripes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- +goose Down
LOCK TABLE stripes IN ACCESS EXCLUSIVE MODE;
DROP VIEW balances;
-- mutant:replace floor IS NULL AND => ./internal/ledger TestStripesRollBackIntoAccounts
UPDATE accounts SET balance = balance + (SELECT CAST(SUM(s.balance) AS BIGINT) FROM stripes s WHERE s.account_id = accounts.id)
    WHERE floor IS NULL AND id IN (SELECT account_id FROM stripes); -- with a floor, the balance is in one row
DROP TABLE stripes;
