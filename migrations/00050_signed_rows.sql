-- Signatures of the other rows that decide where money goes: see internal/signature.
-- They are NULL in rows that were written without a key, as the previous release does.
--
-- A decision gets an id, by which its record in the log is found. Decisions of before
-- are numbered; those of the previous release get theirs by the next migration.

-- +goose Up
ALTER TABLE cash_ins ADD COLUMN mac BYTEA;
ALTER TABLE cash_ins ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';
ALTER TABLE wallet_transfers ADD COLUMN mac BYTEA;
ALTER TABLE wallet_transfers ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';
ALTER TABLE payment_decisions ADD COLUMN id BIGINT;
ALTER TABLE payment_decisions ADD COLUMN mac BYTEA;
ALTER TABLE payment_decisions ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';
UPDATE payment_decisions SET id = n.number
FROM (SELECT payment_id, staff, ROW_NUMBER() OVER (ORDER BY made_at, payment_id, staff) AS number FROM payment_decisions) n
WHERE payment_decisions.payment_id = n.payment_id AND payment_decisions.staff = n.staff;
CREATE UNIQUE INDEX payment_decisions_id ON payment_decisions (id);
ALTER TABLE payment_claims ADD COLUMN mac BYTEA;
ALTER TABLE payment_claims ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';
ALTER TABLE settlements ADD COLUMN mac BYTEA;
ALTER TABLE settlements ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';
ALTER TABLE agents ADD COLUMN mac BYTEA;
ALTER TABLE agents ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';
ALTER TABLE catalog_versions ADD COLUMN mac BYTEA;
ALTER TABLE catalog_versions ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN mac BYTEA;
ALTER TABLE customers ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE customers DROP COLUMN key_id;
ALTER TABLE customers DROP COLUMN mac;
ALTER TABLE catalog_versions DROP COLUMN key_id;
ALTER TABLE catalog_versions DROP COLUMN mac;
ALTER TABLE agents DROP COLUMN key_id;
ALTER TABLE agents DROP COLUMN mac;
ALTER TABLE settlements DROP COLUMN key_id;
ALTER TABLE settlements DROP COLUMN mac;
ALTER TABLE payment_claims DROP COLUMN key_id;
ALTER TABLE payment_claims DROP COLUMN mac;
DROP INDEX payment_decisions_id;
ALTER TABLE payment_decisions DROP COLUMN key_id;
ALTER TABLE payment_decisions DROP COLUMN mac;
ALTER TABLE payment_decisions DROP COLUMN id;
ALTER TABLE wallet_transfers DROP COLUMN key_id;
ALTER TABLE wallet_transfers DROP COLUMN mac;
ALTER TABLE cash_ins DROP COLUMN key_id;
ALTER TABLE cash_ins DROP COLUMN mac;
