package audit

// The triggers are compared by their definitions: one that was made again with a
// condition, or whose function does nothing, still has its name.

//mutant:replace AND pg_get_triggerdef(g.oid, TRUE) = ' => AND '' <> ' TestWrongTriggersAreFound
//mutant:replace AND TRIM(regexp_replace(f.prosrc, => OR TRIM(regexp_replace(f.prosrc, TestWrongTriggersAreFound
//mutant:replace AND g.tgenabled IN ('O', 'A') => TestWrongTriggersAreFound
const wrongTriggersPostgres = `
SELECT w.name, NULL, NULL FROM (VALUES
	('transfers_append_only', 'DELETE OR UPDATE', 'transfers', 'ROW'), ('transfers_no_truncate', 'TRUNCATE', 'transfers', 'STATEMENT'),
	('entries_append_only', 'DELETE OR UPDATE', 'entries', 'ROW'), ('entries_no_truncate', 'TRUNCATE', 'entries', 'STATEMENT'),
	('accounts_no_delete', 'DELETE', 'accounts', 'ROW'), ('accounts_no_truncate', 'TRUNCATE', 'accounts', 'STATEMENT'),
	('accounts_identity', 'UPDATE OF id, kind, subject, currency, opened_at', 'accounts', 'ROW'),
	('stripes_no_delete', 'DELETE', 'stripes', 'ROW'), ('stripes_no_truncate', 'TRUNCATE', 'stripes', 'STATEMENT'),
	('stripes_identity', 'UPDATE OF account_id, stripe', 'stripes', 'ROW'),
	('staff_acts_append_only', 'DELETE OR UPDATE', 'staff_acts', 'ROW'), ('staff_acts_no_truncate', 'TRUNCATE', 'staff_acts', 'STATEMENT'),
	('settlements_append_only', 'DELETE OR UPDATE', 'settlements', 'ROW'), ('settlements_no_truncate', 'TRUNCATE', 'settlements', 'STATEMENT'),
	('catalog_versions_append_only', 'DELETE OR UPDATE', 'catalog_versions', 'ROW'),
	('catalog_versions_no_truncate', 'TRUNCATE', 'catalog_versions', 'STATEMENT')
) AS w (name, stops, place, each)
WHERE NOT EXISTS (SELECT 1 FROM pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid
	WHERE g.tgname = w.name AND g.tgrelid = to_regclass(w.place) AND g.tgenabled IN ('O', 'A')
	AND pg_get_triggerdef(g.oid, TRUE) = 'CREATE TRIGGER ' || w.name || ' BEFORE ' || w.stops || ' ON ' || w.place
		|| ' FOR EACH ' || w.each || ' EXECUTE FUNCTION refuse_change()'
	AND TRIM(regexp_replace(f.prosrc, '\s+', ' ', 'g')) = 'BEGIN RAISE EXCEPTION ''% is append-only'', TG_TABLE_NAME; END')`

//mutant:replace AND REPLACE(m.sql, CHAR(10), ' ') = ' => AND '' <> ' TestWrongTriggersAreFound
const wrongTriggersSQLite = `
WITH w (name, stops, place, words) AS (VALUES
	('transfers_no_update', 'UPDATE', 'transfers', 'transfers is append-only'),
	('transfers_no_delete', 'DELETE', 'transfers', 'transfers is append-only'),
	('entries_no_update', 'UPDATE', 'entries', 'entries is append-only'),
	('entries_no_delete', 'DELETE', 'entries', 'entries is append-only'),
	('accounts_no_delete', 'DELETE', 'accounts', 'accounts is append-only'),
	('accounts_identity', 'UPDATE OF id, kind, subject, currency, opened_at', 'accounts', 'accounts is append-only'),
	('stripes_no_delete', 'DELETE', 'stripes', 'stripes are never deleted'),
	('stripes_identity', 'UPDATE OF account_id, stripe', 'stripes', 'a stripe stays that of its account'),
	('staff_acts_no_update', 'UPDATE', 'staff_acts', 'staff_acts is append-only'),
	('staff_acts_no_delete', 'DELETE', 'staff_acts', 'staff_acts is append-only'),
	('settlements_no_update', 'UPDATE', 'settlements', 'settlements is append-only'),
	('settlements_no_delete', 'DELETE', 'settlements', 'settlements is append-only'),
	('catalog_versions_no_update', 'UPDATE', 'catalog_versions', 'catalog_versions is append-only'),
	('catalog_versions_no_delete', 'DELETE', 'catalog_versions', 'catalog_versions is append-only'))
SELECT w.name, NULL, NULL FROM w
WHERE NOT EXISTS (SELECT 1 FROM sqlite_master m WHERE m.type = 'trigger' AND m.name = w.name AND m.tbl_name = w.place
	AND REPLACE(m.sql, CHAR(10), ' ') = 'CREATE TRIGGER ' || w.name || ' BEFORE ' || w.stops || ' ON ' || w.place
		|| ' BEGIN SELECT RAISE(ABORT, ''' || w.words || '''); END')`
