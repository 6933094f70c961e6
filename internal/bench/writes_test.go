package bench_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

// writesLine is the name under which -lines chooses the table of what a payment writes.
const writesLine = "writes"

const (
	writesPayments = 2000 // with 32 connections
	writesAlone    = 100  // with one connection
	// writesLong is the shortest duration of other measurements with which one connection
	// is measured too.
	writesLong = 5 * time.Second
)

// written has counters of PostgreSQL. Rows and statements are of one database, the
// write-ahead log (WAL) is of the whole server.
type written struct {
	tables                        map[string]tableWrites
	statements, commits, flushes  float64
	indexEntries, walBytes, pages float64 // walBytes without pages, the images of whole pages
	position                      string  // in the WAL
}

// tableWrites are the rows that were inserted, updated and deleted; hot are the updates
// that wrote no index entry.
type tableWrites struct{ inserted, updated, hot, deleted float64 }

// stage is the end of a payment up to which its writes are counted.
type stage struct {
	name  string
	env   func(s *benchServer) (dostek string, env []string)
	ended func(bdb *benchDB)
	many  written // a payment, with 32 connections
	alone written // a payment, with one connection
}

func stages() []*stage {
	return []*stage{
		{name: "accepted", env: func(s *benchServer) (string, []string) { return s.silent(), nil }, ended: func(*benchDB) {}},
		{name: "until completed", env: func(s *benchServer) (string, []string) { return s.instant(), nil }, ended: (*benchDB).settled},
		{name: "until the SMS is handed over", env: func(s *benchServer) (string, []string) {
			return s.instant(), []string{"ELSOM_SMS_URL=" + s.countedSMS().url}
		}, ended: func(bdb *benchDB) { bdb.settled(); bdb.awaitSMS(bdb.m.server.countedSMS()) }},
	}
}

// preload returns the options that make PostgreSQL count statements, where it can. It
// counts them in the databases of this table only.
func preload() []string {
	server, err := databasetest.Binary("postgres")
	if err != nil {
		return nil
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(server), "../lib/pg_stat_statements.so")); err != nil {
		return nil
	}
	return []string{"-c", "shared_preload_libraries=pg_stat_statements", "-c", "pg_stat_statements.track=none"}
}

// writes prints what one payment writes.
func (m *runner) writes(w io.Writer) {
	m.b.Helper()
	for _, extension := range []string{"pg_stat_statements", "pg_walinspect"} {
		if _, err := m.server.admin.Exec("CREATE EXTENSION IF NOT EXISTS " + extension); err != nil {
			printf("what a payment writes is not counted: %v\n", err)
			return
		}
	}
	all := stages()
	for _, s := range all {
		begin := time.Now()
		bdb := m.open("writes " + s.name)
		_, err := m.server.admin.Exec("ALTER DATABASE " + bdb.database() + " SET pg_stat_statements.track = top")
		require.NoError(m.b, err)
		dostek, env := s.env(m.server)
		p := bdb.portal(s.name, dostek, env...)
		s.many = bdb.writesOf(s, writesPayments, 32, p)
		if m.lasting >= writesLong {
			s.alone = bdb.writesOf(s, writesAlone, 1, p)
		}
		p.Stop(syscall.SIGKILL) // its calls of a silent biller would be waited for
		printf("  %-34s %s payments (%.0f s)\n", "writes "+s.name, formatThousands(writesPayments), time.Since(begin).Seconds())
	}
	printWrites(w, all)
}

// writesOf counts what n payments write, and returns it for one.
func (bdb *benchDB) writesOf(s *stage, n, callers int, p *portal) written {
	bdb.m.b.Helper()
	admin, err := sql.Open("pgx", bdb.m.server.server.Address(bdb.database()))
	require.NoError(bdb.m.b, err)
	defer admin.Close()
	admin.SetMaxIdleConns(0)
	bdb.ready(n, p)
	bdb.quiet(s, admin)
	before := bdb.count(admin)
	f := bdb.payOverHTTP(load{callers: callers, lasting: 10 * time.Minute}, p)
	bdb.quiet(s, admin)
	after := bdb.count(admin)
	require.NoError(bdb.m.b, bdb.m.server.admin.QueryRow(`SELECT
			COALESCE(SUM(count) FILTER (WHERE name ~ '^Btree/(INSERT_LEAF|INSERT_POST|SPLIT_)'), 0), SUM(record_size), SUM(fpi_size)
		FROM pg_get_wal_stats($1, $2, true) s(name, count, count_percent, record_size, record_percent, fpi_size, fpi_percent, size, percent)`,
		before.position, after.position).Scan(&after.indexEntries, &after.walBytes, &after.pages))
	return after.per(before, float64(f.done))
}

// quiet waits until all payments have reached the stage and the log has their rows. It
// ends PostgreSQL's idle processes, which report their statistics only then or when they
// have been idle for ten seconds; the programs connect again.
func (bdb *benchDB) quiet(s *stage, admin *sql.DB) {
	bdb.m.b.Helper()
	s.ended(bdb)
	for queued := true; queued; time.Sleep(100 * time.Millisecond) {
		require.NoError(bdb.m.b, admin.QueryRow("SELECT EXISTS (SELECT 1 FROM log_queue)").Scan(&queued))
	}
	_, err := bdb.m.server.admin.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND state = 'idle'", bdb.database())
	require.NoError(bdb.m.b, err)
	time.Sleep(1200 * time.Millisecond) // a pool checks a connection that was idle for a second
}

func (bdb *benchDB) count(admin *sql.DB) (w written) {
	bdb.m.b.Helper()
	w.tables = map[string]tableWrites{}
	found, err := admin.Query("SELECT relname, n_tup_ins, n_tup_upd, n_tup_hot_upd, n_tup_del FROM pg_stat_user_tables")
	require.NoError(bdb.m.b, err)
	defer found.Close()
	for found.Next() {
		var name string
		var t tableWrites
		require.NoError(bdb.m.b, found.Scan(&name, &t.inserted, &t.updated, &t.hot, &t.deleted))
		w.tables[name] = t
	}
	require.NoError(bdb.m.b, found.Err())
	require.NoError(bdb.m.b, bdb.m.server.admin.QueryRowContext(context.Background(), `SELECT
			(SELECT COALESCE(SUM(calls), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = $1),
			(SELECT xact_commit FROM pg_stat_database WHERE datname = $1), (SELECT wal_sync FROM pg_stat_wal), pg_current_wal_flush_lsn()`,
		bdb.database()).Scan(&w.statements, &w.commits, &w.flushes, &w.position))
	return w
}

// per returns what was written since before, for each of n payments.
func (w written) per(before written, n float64) written {
	each := written{
		tables: map[string]tableWrites{}, statements: (w.statements - before.statements) / n, commits: (w.commits - before.commits) / n,
		flushes: (w.flushes - before.flushes) / n, indexEntries: w.indexEntries / n, walBytes: w.walBytes / n, pages: w.pages / n,
	}
	for name, t := range w.tables {
		was := before.tables[name]
		each.tables[name] = tableWrites{
			(t.inserted - was.inserted) / n, (t.updated - was.updated) / n, (t.hot - was.hot) / n, (t.deleted - was.deleted) / n,
		}
	}
	return each
}

func (w written) sum() (all tableWrites) {
	for _, t := range w.tables {
		all.inserted += t.inserted
		all.updated += t.updated
		all.hot += t.hot
		all.deleted += t.deleted
	}
	return all
}

// String returns the rows as "1 + 2 (1)": inserted, updated, and of those HOT.
func (t tableWrites) String() string {
	text := number(t.inserted)
	if t.updated >= 0.005 {
		text += fmt.Sprintf(" + %s (%s)", number(t.updated), number(t.hot))
	}
	if t.deleted >= 0.005 {
		text += " − " + number(t.deleted)
	}
	return text
}

func printWrites(out io.Writer, all []*stage) {
	rows := [][]string{{"What one payment writes"}, {"---"}}
	row := func(name string, value func(s *stage) string) {
		cells := []string{name}
		for _, s := range all {
			cells = append(cells, value(s))
		}
		rows = append(rows, cells)
	}
	for _, s := range all {
		rows[0], rows[1] = append(rows[0], s.name), append(rows[1], "---")
	}
	row("rows: inserted + updated (of those HOT) − deleted", func(s *stage) string { return s.many.sum().String() })
	row("index entries", func(s *stage) string { return number(s.many.indexEntries) })
	row("WAL in bytes, without images of pages", func(s *stage) string { return formatThousands(s.many.walBytes) })
	row("images of pages, first changed after a checkpoint", func(s *stage) string { return formatThousands(s.many.pages) })
	row("statements, 32 connections", func(s *stage) string { return number(s.many.statements) })
	row("transactions, 32 connections", func(s *stage) string { return number(s.many.commits) })
	row("flushes of the WAL, 32 connections", func(s *stage) string { return number(s.many.flushes) })
	if all[0].alone.tables != nil {
		row("statements, one connection", func(s *stage) string { return number(s.alone.statements) })
		row("transactions, one connection", func(s *stage) string { return number(s.alone.commits) })
		row("flushes of the WAL, one connection", func(s *stage) string { return number(s.alone.flushes) })
	}
	for _, name := range slices.Sorted(maps.Keys(all[len(all)-1].many.tables)) {
		if t := all[len(all)-1].many.tables[name]; t.inserted+t.updated+t.deleted >= 0.005 {
			row("rows of "+name, func(s *stage) string { return s.many.tables[name].String() })
		}
	}
	columns := tabwriter.NewWriter(out, 0, 4, 1, ' ', 0)
	for _, cells := range rows {
		_, _ = fmt.Fprintln(columns, "|"+strings.Join(cells, "\t|")+"\t|")
	}
	_ = columns.Flush()
	_, _ = fmt.Fprintln(out)
}
