package audit

// The serving roles are those that may insert transfers. They act with the rights of every
// role that they are a member of: with SET ROLE also of those that are not inherited. What a
// superuser or the owner of the tables could do besides is not listed, but that it serves.
const servingRoles = `WITH serving AS (
	SELECT DISTINCT r.oid, r.rolname, c.relowner, r.rolsuper, pg_has_role(r.oid, c.relowner, 'MEMBER') AS owns
	FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
	WHERE c.oid = to_regclass('transfers') AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner
), acting AS (
	SELECT s.rolname AS serving, s.relowner AS owner, r.* FROM serving s JOIN pg_roles r ON pg_has_role(s.oid, r.oid, 'MEMBER')
	WHERE NOT s.rolsuper AND NOT s.owns
) `

// takesAway names the statement of the script that ends a right.
const takesAway = `takes it away, which is in "elsom example roles"`

// accessPostgres finds ways to the tables beyond the rights to them. @tables are the tables
// and views of this release.
var accessPostgres = []string{
	// What the serving roles are.
	//mutant:replace 'role' AS kind => 'view' AS kind TestAccessOfTheServer
	servingRoles + `SELECT DISTINCT 'role' AS kind, f.name, f.definition FROM (
		SELECT rolname AS name, 'is a superuser; ALTER ROLE ... NOSUPERUSER ` + takesAway + `' AS definition FROM serving WHERE rolsuper
		UNION ALL SELECT rolname, 'may act as the owner of the tables; REVOKE of the owner''s role ` + takesAway + `' FROM serving WHERE owns AND NOT rolsuper
		UNION ALL SELECT serving, 'may act as the superuser ' || rolname FROM acting WHERE rolsuper
		UNION ALL SELECT serving, 'may create roles; ALTER ROLE ... NOCREATEROLE ` + takesAway + `' FROM acting WHERE rolcreaterole
		UNION ALL SELECT serving, 'may create databases; ALTER ROLE ... NOCREATEDB ` + takesAway + `' FROM acting WHERE rolcreatedb
		UNION ALL SELECT serving, 'may replicate; ALTER ROLE ... NOREPLICATION ` + takesAway + `' FROM acting WHERE rolreplication
		UNION ALL SELECT serving, 'bypasses row security; ALTER ROLE ... NOBYPASSRLS ` + takesAway + `' FROM acting WHERE rolbypassrls
		UNION ALL SELECT serving, 'is a member of ' || rolname || '; REVOKE ' || rolname || ' ` + takesAway + `' FROM acting
			WHERE rolname ~ '^pg_' AND rolname NOT IN ('pg_read_all_data', 'pg_read_all_settings', 'pg_read_all_stats', 'pg_stat_scan_tables', 'pg_monitor')
	) f`,
	// What they may create. A temporary table hides the portal's of that name.
	//mutant:replace 'role' AS kind => 'view' AS kind TestSchemaChangesAreFound
	servingRoles + `SELECT DISTINCT 'role' AS kind, a.serving AS name, 'may create ' || w.what || ' in the database; REVOKE ' || w.privilege || ' ON DATABASE ` + takesAway + `' AS definition
	FROM acting a CROSS JOIN (VALUES ('CREATE', 'schemas'), ('TEMPORARY', 'temporary tables')) w (privilege, what)
	WHERE has_database_privilege(a.oid, current_database(), w.privilege)`,
	//mutant:replace 'role' AS kind => 'view' AS kind TestSchemaChangesAreFound
	servingRoles + `SELECT DISTINCT 'role' AS kind, a.serving AS name, 'may create objects in the schema ' || n.nspname || '; REVOKE '
		|| CASE WHEN n.oid = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('transfers')) THEN 'ALL ON SCHEMA ` + takesAway + `' ELSE 'CREATE ON SCHEMA ' || n.nspname || ' takes it away' END AS definition
	FROM acting a CROSS JOIN pg_namespace n WHERE n.nspname !~ '^pg_(toast|temp)' AND has_schema_privilege(a.oid, n.oid, 'CREATE')`,
	//mutant:replace 'role' AS kind => 'view' AS kind TestSchemaChangesAreFound
	servingRoles + `SELECT DISTINCT 'role' AS kind, a.serving AS name, 'may use the foreign server ' || f.srvname AS definition
	FROM acting a CROSS JOIN pg_foreign_server f WHERE has_server_privilege(a.oid, f.oid, 'USAGE')`,
	//mutant:replace 'role' AS kind => 'view' AS kind TestSchemaChangesAreFound
	servingRoles + `SELECT DISTINCT 'role' AS kind, a.serving AS name, 'may use the foreign-data wrapper ' || f.fdwname AS definition
	FROM acting a CROSS JOIN pg_foreign_data_wrapper f WHERE has_foreign_data_wrapper_privilege(a.oid, f.oid, 'USAGE')`,
	//mutant:replace 'role' AS kind => 'view' AS kind TestSchemaChangesAreFound
	servingRoles + `SELECT DISTINCT 'role' AS kind, a.serving AS name, 'may ' || x.privilege_type || ' the large object ' || m.oid AS definition
	FROM pg_largeobject_metadata m CROSS JOIN LATERAL aclexplode(m.lomacl) x JOIN acting a ON x.grantee IN (a.oid, 0)
	WHERE x.grantee <> m.lomowner`,
	// Settings that only a superuser changes otherwise: session_replication_role switches triggers off.
	//mutant:replace 'role' AS kind => 'view' AS kind TestAccessOfTheServer
	servingRoles + `SELECT DISTINCT 'role' AS kind, a.serving AS name,
		'may ' || x.privilege_type || ' the parameter ' || p.parname || '; REVOKE ' || x.privilege_type || ' ON PARAMETER ` + takesAway + `' AS definition
	FROM pg_parameter_acl p CROSS JOIN LATERAL aclexplode(p.paracl) x JOIN acting a ON x.grantee IN (a.oid, 0) WHERE NOT a.rolsuper`,
	// A view, a rule, a trigger or an inheriting table writes with its owner's rights; a
	// plain table of the operator doesn't.
	//mutant:replace 'access' AS kind => 'view' AS kind TestSchemaChangesAreFound
	servingRoles + `SELECT DISTINCT 'access' AS kind, 'serving role ' || a.serving || ' may write to ' || n.nspname || '.' || c.relname AS name,
		'which is not of this release; REVOKE ALL ON ' || n.nspname || '.' || c.relname || ' takes it away' AS definition
	FROM acting a CROSS JOIN pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
		AND NOT (n.oid = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('transfers')) AND c.relname IN @tables)
		AND (c.relkind <> 'r' OR c.relhastriggers OR c.relhasrules OR EXISTS (SELECT 1 FROM pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent)))
		AND (has_table_privilege(a.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER') OR has_any_column_privilege(a.oid, c.oid, 'INSERT, UPDATE'))`,
	//mutant:replace 'access' AS kind => 'view' AS kind TestSchemaChangesAreFound
	servingRoles + `SELECT DISTINCT 'access' AS kind, 'serving role ' || a.serving || ' owns ' || c.relname AS name,
		'ALTER ... OWNER TO ` + takesAway + `' AS definition
	FROM acting a JOIN pg_class c ON c.relowner = a.oid WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('transfers')) AND c.relname IN @tables`,
	// Functions that run with the rights of an owner who may change the tables.
	//mutant:replace 'access' AS kind => 'view' AS kind TestSchemaChangesAreFound
	servingRoles + `SELECT DISTINCT 'access' AS kind, 'serving role ' || a.serving || ' may execute ' || p.oid::regprocedure::text AS name,
		'which runs with the rights of ' || o.rolname || '; REVOKE EXECUTE from the role and PUBLIC takes it away' AS definition
	FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles o ON o.oid = p.proowner CROSS JOIN acting a
	WHERE p.prosecdef AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AND n.nspname NOT IN ('pg_catalog', 'information_schema')
		AND has_function_privilege(a.oid, p.oid, 'EXECUTE') AND has_schema_privilege(a.oid, n.oid, 'USAGE')
		AND NOT EXISTS (SELECT 1 FROM acting b WHERE b.serving = a.serving AND b.oid = p.proowner)
		AND (o.rolsuper OR o.rolcreaterole OR pg_has_role(o.oid, a.owner, 'MEMBER')
			OR EXISTS (SELECT 1 FROM pg_roles m WHERE m.rolname ~ '^pg_(write|execute|read_server|maintain)' AND pg_has_role(o.oid, m.oid, 'MEMBER'))
			OR EXISTS (SELECT 1 FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v') AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('transfers')) AND c.relname IN @tables
				AND (has_table_privilege(o.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER') OR has_any_column_privilege(o.oid, c.oid, 'INSERT, UPDATE'))))`,
	// What is found instead of the portal's tables and functions.
	//mutant:replace 'shadow' AS kind => 'view' AS kind TestSchemaChangesAreFound
	searchedSchemas + `SELECT 'shadow' AS kind, s.nspname || '.' || c.relname AS name, 'hides the table of that name: sessions may search its schema first' AS definition
	FROM searched s JOIN pg_class c ON c.relnamespace = s.oid WHERE c.relname IN @tables AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`,
	//mutant:replace 'shadow' AS kind => 'view' AS kind TestSchemaChangesAreFound
	searchedSchemas + `SELECT 'shadow' AS kind, p.oid::regprocedure::text AS name, 'may run instead of another function: sessions may search its schema first' AS definition
	FROM searched s JOIN pg_proc p ON p.pronamespace = s.oid`,
	//mutant:replace 'shadow' AS kind => 'view' AS kind TestSchemaChangesAreFound
	searchedSchemas + `SELECT 'shadow' AS kind, o.oid::regoperator::text AS name, 'may run instead of another operator: sessions may search its schema first' AS definition
	FROM searched s JOIN pg_operator o ON o.oprnamespace = s.oid`,
}

// searchedSchemas are those besides the portal's that a session searches: "$user" is the
// schema with the role's name, and pg_temp always comes first.
const searchedSchemas = `WITH searched AS (
	SELECT n.oid, n.nspname FROM pg_namespace n
	WHERE n.oid <> (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('transfers')) AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND (
		n.nspname ~ '^pg_temp_' OR n.nspname = ANY (current_schemas(TRUE))
		OR EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = n.nspname AND has_table_privilege(r.oid, to_regclass('transfers'), 'INSERT'))
		OR EXISTS (SELECT 1 FROM pg_db_role_setting g CROSS JOIN LATERAL unnest(g.setconfig) v (setting)
			CROSS JOIN LATERAL regexp_split_to_table(substr(v.setting, length('search_path=') + 1), ',') e (name)
			LEFT JOIN pg_database d ON d.oid = g.setdatabase
			WHERE v.setting LIKE 'search_path=%' AND btrim(e.name, ' "') = n.nspname AND (g.setdatabase = 0 OR d.datname = current_database())))
) `
