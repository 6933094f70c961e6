-- The two roles of elsom's PostgreSQL database. {owner} owns the tables and runs
-- `elsom migrate` and `elsom key baseline`. {serving} is the role of `elsom serve` and
-- of the other commands: it creates nothing, and what is append-only it can't change
-- or delete.
--
-- Run it in the database, as a superuser or the administrator of a managed service:
--     elsom example roles | psql -v ON_ERROR_STOP=1 --single-transaction -d elsom
-- then set the passwords (\password {owner}, \password {serving}), and migrate:
--     ELSOM_DATABASE_URL=postgres://{owner}@… elsom migrate
--
-- It can be run again at any time, also beside a running portal. Tables of a portal
-- that had one role get the new owner. `elsom migrate` gives {serving} its rights on
-- the tables of later releases.

DO $$
DECLARE
    found record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{owner}') THEN
        CREATE ROLE {owner} LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{serving}') THEN
        CREATE ROLE {serving} LOGIN;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{serving}' AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)) THEN
        ALTER ROLE {serving} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
    IF pg_has_role('{serving}', '{owner}', 'MEMBER') THEN
        REVOKE {owner} FROM {serving};
    END IF;
    FOR found IN -- roles that read may stay
        SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
        WHERE m.member = '{serving}'::regrole AND r.rolname ~ '^pg_'
            AND r.rolname NOT IN ('pg_read_all_data', 'pg_read_all_settings', 'pg_read_all_stats', 'pg_stat_scan_tables', 'pg_monitor')
    LOOP
        EXECUTE format('REVOKE %I FROM {serving}', found.rolname);
    END LOOP;
    FOR found IN
        SELECT DISTINCT p.parname FROM pg_parameter_acl p CROSS JOIN LATERAL aclexplode(p.paracl) a
        WHERE a.grantee IN (0, '{serving}'::regrole)
    LOOP
        EXECUTE format('REVOKE ALL ON PARAMETER %s FROM PUBLIC, {serving}', found.parname);
    END LOOP;
    EXECUTE format('ALTER DATABASE %I OWNER TO {owner}', current_database());
    EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM {serving}', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO {serving}', current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC, {serving};
GRANT ALL ON SCHEMA public TO {owner};
GRANT USAGE ON SCHEMA public TO {serving};

-- Tables, views, sequences and functions that exist.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT c.oid::regclass AS name, CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
            AND c.relowner <> '{owner}'::regrole
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i', 'e'))
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO {owner}', found.kind, found.name);
    END LOOP;
    FOR found IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> '{owner}'::regrole
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER ROUTINE %s OWNER TO {owner}', found.name);
    END LOOP;
END
$$;

-- Tables of later releases can be read and inserted into at once.
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO {serving};

-- Tables of this release; of a schema of the previous one, what it has of them.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {serving};
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {serving};
DO $$
DECLARE
    columns text;
BEGIN
{grants}
END
$$;
