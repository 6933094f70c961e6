-- Keys compare by their bytes, not by the operating system's rules for texts: they are
-- codes, numbers and hashes, never listed in the order of a language. An upgrade of
-- the system may change its rules, and then an index in its order is silently broken, so
-- that a key could be stored twice.
--
-- Indexes of large tables are built beside the old ones, without a lock, and then take
-- their places, for which each table is locked for milliseconds: an index that is
-- in the order of bytes already is not built again. Indexes of small tables are built
-- again under the lock.
--
-- It is no transaction, and can be run again after an interruption: a transaction that
-- locks several tables deadlocks with the postings of the previous release.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS bytes_accounts_kind_subject_key;
CREATE UNIQUE INDEX CONCURRENTLY bytes_accounts_kind_subject_key ON accounts (kind COLLATE "C", subject COLLATE "C");
DROP INDEX CONCURRENTLY IF EXISTS bytes_cash_ins_agent_txn_id_key;
CREATE UNIQUE INDEX CONCURRENTLY bytes_cash_ins_agent_txn_id_key ON cash_ins (agent COLLATE "C", txn_id COLLATE "C");
DROP INDEX CONCURRENTLY IF EXISTS bytes_cash_ins_registry;
CREATE INDEX CONCURRENTLY bytes_cash_ins_registry ON cash_ins (agent COLLATE "C", txn_date COLLATE "C");
DROP INDEX CONCURRENTLY IF EXISTS bytes_customers_phone_key;
CREATE UNIQUE INDEX CONCURRENTLY bytes_customers_phone_key ON customers (phone COLLATE "C");
DROP INDEX CONCURRENTLY IF EXISTS bytes_drafts_txn_id_key;
CREATE UNIQUE INDEX CONCURRENTLY bytes_drafts_txn_id_key ON drafts (txn_id COLLATE "C");
DROP INDEX CONCURRENTLY IF EXISTS bytes_familiar_addresses_pkey;
CREATE UNIQUE INDEX CONCURRENTLY bytes_familiar_addresses_pkey ON familiar_addresses (customer_id, address COLLATE "C");
DROP INDEX CONCURRENTLY IF EXISTS bytes_messages_key_key;
CREATE UNIQUE INDEX CONCURRENTLY bytes_messages_key_key ON messages (key COLLATE "C");
DROP INDEX CONCURRENTLY IF EXISTS bytes_messages_phone;
CREATE INDEX CONCURRENTLY bytes_messages_phone ON messages (phone COLLATE "C", id);
DROP INDEX CONCURRENTLY IF EXISTS bytes_offer_acceptances_pkey;
CREATE UNIQUE INDEX CONCURRENTLY bytes_offer_acceptances_pkey ON offer_acceptances (customer_id, version COLLATE "C");
DROP INDEX CONCURRENTLY IF EXISTS bytes_payments_code_key;
CREATE UNIQUE INDEX CONCURRENTLY bytes_payments_code_key ON payments (code COLLATE "C");
DROP INDEX CONCURRENTLY IF EXISTS bytes_promises_lane_key_key;
CREATE UNIQUE INDEX CONCURRENTLY bytes_promises_lane_key_key ON promises (lane COLLATE "C", key COLLATE "C");
DROP INDEX CONCURRENTLY IF EXISTS bytes_sessions_pkey;
CREATE UNIQUE INDEX CONCURRENTLY bytes_sessions_pkey ON sessions (id COLLATE "C");
DROP INDEX CONCURRENTLY IF EXISTS bytes_transfers_request_key_key;
CREATE UNIQUE INDEX CONCURRENTLY bytes_transfers_request_key_key ON transfers (request_key COLLATE "C");

-- Each table is a transaction of its own. Others wait behind a wait for its lock, so the
-- lock is asked for again and again, each time for a moment only.
-- +goose StatementBegin
DO $$
DECLARE
    target regclass;
    locks TEXT;
    changes TEXT;
    before TEXT[];
    after TEXT[];
    statement TEXT;
BEGIN
    FOR target IN
        SELECT DISTINCT x.indrelid FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = ANY (x.indkey::int2[])
        WHERE i.relnamespace = current_schema()::regnamespace AND i.relkind = 'i'
            AND (i.relname LIKE 'bytes\_%' OR a.attcollation = '"default"'::regcollation)
        ORDER BY 1
    LOOP
        -- Foreign keys of texts are made again. What writes both tables locks the referencing one first.
        locks := concat_ws(', ',
            (SELECT string_agg(DISTINCT k.conrelid::regclass::text, ', ') FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = k.confkey[1]
                WHERE k.contype = 'f' AND k.confrelid = target AND a.attcollation <> 0),
            target::text,
            (SELECT string_agg(DISTINCT k.confrelid::regclass::text, ', ') FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = k.confkey[1]
                WHERE k.contype = 'f' AND k.conrelid = target AND a.attcollation <> 0));
        PERFORM set_config('lock_timeout', '100ms', TRUE);
        LOOP
            BEGIN
                EXECUTE 'LOCK TABLE ' || locks;
                EXIT;
            EXCEPTION WHEN lock_not_available THEN
                PERFORM pg_sleep(0.5);
            END;
        END LOOP;
        PERFORM set_config('lock_timeout', '0', TRUE);

        -- Triggers and views name columns, and are made again as they are.
        SELECT array_agg(format('DROP TRIGGER %I ON %s', tgname, target)), array_agg(pg_get_triggerdef(oid)) INTO before, after
        FROM pg_trigger WHERE tgrelid = target AND NOT tgisinternal AND (tgattr::text <> '' OR tgqual IS NOT NULL);
        IF target = to_regclass('accounts') THEN
            before := before || 'DROP VIEW balances'::text;
            -- mutant:replace d.defaclobjtype = 'r' => FALSE ./internal/database TestKeysChangeWhileServing
            after := after || ('CREATE VIEW balances AS ' || pg_get_viewdef('balances'::regclass)) || ARRAY( -- default privileges may be more
                SELECT DISTINCT 'REVOKE ALL ON balances FROM ' || CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
                FROM pg_default_acl d, LATERAL aclexplode(d.defaclacl) a WHERE d.defaclobjtype = 'r' AND a.grantee <> d.defaclrole) || ARRAY(
                SELECT format('GRANT %s ON balances TO %s', a.privilege_type, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
                FROM pg_class c, LATERAL aclexplode(c.relacl) a WHERE c.oid = to_regclass('balances') AND a.grantee <> c.relowner);
        END IF;

        -- The new indexes take the places of the old ones.
        SELECT before || COALESCE(array_agg(CASE WHEN k.oid IS NULL THEN format('DROP INDEX %I', o.relname)
                ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', target, o.relname) END), '{}'),
            COALESCE(array_agg(CASE WHEN k.oid IS NULL THEN format('ALTER INDEX %I RENAME TO %I', n.relname, o.relname)
                ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I', target, o.relname, CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, n.relname) END), '{}') || after
        INTO before, after
        FROM pg_index x JOIN pg_class n ON n.oid = x.indexrelid JOIN pg_class o ON o.relnamespace = n.relnamespace AND 'bytes_' || o.relname = n.relname
        LEFT JOIN pg_constraint k ON k.conindid = o.oid AND k.contype IN ('p', 'u') AND k.conrelid = target
        WHERE x.indrelid = target;

        -- mutant:replace COLLATE "C"', => ', ./internal/database TestKeysCompareByBytes
        SELECT string_agg(format('ALTER COLUMN %I TYPE %s COLLATE "C"', a.attname, format_type(a.atttypid, a.atttypmod)), ', ') INTO changes
        FROM pg_attribute a WHERE a.attrelid = target AND a.attcollation = '"default"'::regcollation
            AND EXISTS (SELECT 1 FROM pg_index x WHERE x.indrelid = target AND a.attnum = ANY (x.indkey::int2[]));
        FOREACH statement IN ARRAY before || ('ALTER TABLE ' || target || ' ' || changes) || after LOOP
            IF statement IS NOT NULL THEN -- no column is left from an interrupted run
                EXECUTE statement;
            END IF;
        END LOOP;
        COMMIT;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- A change of a column drops its statistics, without which large tables may be read whole.
ANALYZE accounts, cash_ins, customers, drafts, familiar_addresses, messages, offer_acceptances, payments, promises, sessions, transfers;

-- Keys in this order are right for earlier releases too.
-- +goose Down
SELECT 1;
