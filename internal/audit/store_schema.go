package audit

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"elsom/internal/database"
	"elsom/migrations"
)

// object is a part of a schema: its kind, its name with the table that it is of, and
// how it is defined.
type object struct{ Kind, Name, Definition string }

// readObjects returns the parts of the schema of the audited database.
func readObjects(tx *database.Tx) (objects []object, err error) {
	queries := objectsSQLite
	if tx.Dialect() == database.Postgres {
		queries = slices.Concat(objectsPostgres, accessPostgres)
	}
	_, tables := migrations.Rights()
	for _, query := range queries {
		var found []object
		var args []any
		if strings.Contains(query, "@tables") {
			args = []any{sql.Named("tables", tables)}
		}
		if err := tx.Gorm().Raw(query, args...).Scan(&found).Error; err != nil {
			return nil, err
		}
		objects = append(objects, found...)
	}
	return objects, nil
}

var objectsSQLite = []string{
	`SELECT type AS kind, CASE WHEN type IN ('table', 'view') THEN name ELSE name || ' of ' || tbl_name END AS name, sql AS definition
	FROM sqlite_master WHERE sql IS NOT NULL AND substr(name, 1, 7) <> 'sqlite_'`,
}

// ours matches what is in the schema and is no member of an extension.
const ours = `= (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('transfers')) AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.deptype = 'e' AND d.objid = `

var objectsPostgres = []string{
	`SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'r' THEN 'table' ELSE 'relation' END AS kind, c.relname AS name,
		CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid, TRUE) ELSE (CASE c.relpersistence WHEN 'p' THEN 'permanent' ELSE 'not logged' END
			|| CASE WHEN c.relrowsecurity OR c.relforcerowsecurity THEN ', with row security' ELSE '' END
			|| CASE WHEN c.relkind IN ('r', 'v') THEN '' ELSE ', kind ' || c.relkind::text END) END AS definition
	FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relnamespace ` + ours + `c.oid)`,
	`SELECT 'column' AS kind, a.attname || ' of ' || c.relname AS name,
		format_type(a.atttypid, a.atttypmod)
			|| COALESCE((SELECT ' COLLATE ' || l.collname FROM pg_collation l JOIN pg_type t ON t.oid = a.atttypid WHERE l.oid = a.attcollation AND l.oid <> t.typcollation), '')
			|| CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
			|| COALESCE(' DEFAULT ' || pg_get_expr(f.adbin, f.adrelid), '')
			|| CASE WHEN a.attgenerated <> '' THEN ' generated' ELSE '' END || CASE WHEN a.attidentity <> '' THEN ' identity' ELSE '' END AS definition
	FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
	WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND c.relnamespace ` + ours + `c.oid)`,
	`SELECT 'constraint' AS kind, k.conname || ' of ' || c.relname AS name, pg_get_constraintdef(k.oid, TRUE) AS definition
	FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
	WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND c.relnamespace ` + ours + `c.oid)`,
	`SELECT 'index' AS kind, i.relname || ' of ' || c.relname AS name,
		pg_get_indexdef(x.indexrelid, 0, TRUE) || CASE WHEN x.indisvalid AND x.indisready AND x.indislive THEN '' ELSE ' INVALID' END AS definition
	FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
	WHERE c.relnamespace ` + ours + `c.oid)`,
	`SELECT 'trigger' AS kind, g.tgname || ' of ' || c.relname AS name,
		pg_get_triggerdef(g.oid, TRUE) || CASE g.tgenabled WHEN 'O' THEN '' WHEN 'A' THEN '' WHEN 'D' THEN ' DISABLED' ELSE ' FOR REPLICAS ONLY' END AS definition
	FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
	WHERE NOT g.tgisinternal AND c.relnamespace ` + ours + `c.oid)`,
	// Foreign keys are checked by triggers of the server.
	`SELECT 'foreign key' AS kind, k.conname || ' of ' || c.relname AS name, 'DISABLED' AS definition
	FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_constraint k ON k.oid = g.tgconstraint
	WHERE g.tgisinternal AND g.tgenabled NOT IN ('O', 'A') AND c.relnamespace ` + ours + `c.oid)
	GROUP BY k.conname, c.relname`,
	`SELECT 'function' AS kind, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name,
		'RETURNS ' || COALESCE(pg_get_function_result(p.oid), '') || ' LANGUAGE ' || l.lanname || CASE WHEN p.prosecdef THEN ' SECURITY DEFINER' ELSE '' END
			|| COALESCE(' SET ' || array_to_string(p.proconfig, ', '), '') || ' AS ' || p.prosrc AS definition
	FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_roles r ON r.oid = p.proowner WHERE p.pronamespace ` + ours + `p.oid AND r.rolsuper)`, // the owner of an extension may add functions to it
	`SELECT 'operator' AS kind, o.oprname AS name, o.oprcode::text AS definition FROM pg_operator o WHERE o.oprnamespace ` + ours + `o.oid)`,
	`SELECT 'rule' AS kind, r.rulename || ' of ' || c.relname AS name, pg_get_ruledef(r.oid, TRUE) AS definition
	FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN' AND c.relnamespace ` + ours + `c.oid)`,
	`SELECT 'policy' AS kind, p.polname || ' of ' || c.relname AS name, p.polcmd::text AS definition
	FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace ` + ours + `c.oid)`,
	`SELECT DISTINCT 'inheritance' AS kind, h.inhrelid::regclass::text || ' of ' || h.inhparent::regclass::text AS name, 'inherits' AS definition
	FROM pg_inherits h JOIN pg_class c ON c.oid IN (h.inhparent, h.inhrelid) WHERE c.relkind IN ('r', 'p') AND c.relnamespace ` + ours + `c.oid)`,
	`SELECT 'event trigger' AS kind, e.evtname AS name, e.evtevent || ' ' || e.evtfoid::regproc::text AS definition
	FROM pg_event_trigger e WHERE e.evtenabled <> 'D' AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.deptype = 'e' AND d.objid = e.oid)`,
	`SELECT 'subscription' AS kind, s.subname AS name, 'writes into this database' AS definition
	FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()`,
	// Settings by which a session escapes from triggers or finds other functions.
	`SELECT 'setting' AS kind, split_part(v.setting, '=', 1) || ' of ' || COALESCE('role ' || r.rolname, 'database ' || d.datname, 'all') AS name, v.setting AS definition
	FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) v(setting)
	LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
	WHERE (s.setdatabase = 0 OR d.datname = current_database())
		AND (v.setting ~ '^(session_replication_role|event_triggers|ignore_system_indexes|allow_system_table_mods|(session|local)_preload_libraries)='
			OR v.setting ~ '^search_path=' AND v.setting !~ '^search_path=("\$user", *)?public$'
				AND (r.rolname IS NULL OR has_table_privilege(r.oid, 'transfers', 'INSERT')))`,
	`SELECT 'setting' AS kind, 'session_replication_role of the server' AS name, current_setting('session_replication_role') AS definition
	WHERE current_setting('session_replication_role') <> 'origin'`,
	// What roles may do besides reading.
	`SELECT 'right' AS kind, a.privilege || CASE WHEN a.col = '' THEN '' ELSE ' (' || a.col || ')' END || ' of ' || c.relname
		|| ' to ' || CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END AS name, 'granted' AS definition
	FROM pg_class c, LATERAL (
		SELECT grantee, privilege_type AS privilege, '' AS col FROM aclexplode(c.relacl)
		UNION ALL
		SELECT x.grantee, x.privilege_type, t.attname FROM pg_attribute t, LATERAL aclexplode(t.attacl) x
		WHERE t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped
	) a
	WHERE a.grantee <> c.relowner AND a.privilege <> 'SELECT' AND c.relkind IN ('r', 'p', 'v') AND c.relnamespace ` + ours + `c.oid)`,
}

// maxIndexErrors is the number of lines about damaged indexes that SQLite returns at most.
const maxIndexErrors = 100

// readIndexErrors returns the errors that SQLite reports of its indexes and tables. PostgreSQL
// has nothing of the kind without an extension.
func readIndexErrors(tx *database.Tx) (lines []string, err error) {
	err = tx.Gorm().Raw(fmt.Sprintf("PRAGMA integrity_check(%d)", maxIndexErrors)).Scan(&lines).Error
	return slices.DeleteFunc(lines, func(line string) bool { return line == "ok" }), err
}
