package web_test

import (
	"context"
	"database/sql"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/notify/sms/inbox"
	"elsom/internal/outbox"
	"elsom/internal/testkit/require"
)

// The tables that a payment writes, from its form to its SMS and the log.
const written = ` accounts transfers entries stripes payments payment_attempts promises messages drafts sessions customers biller_slots
	wallet_transfers wallet_transfer_drafts log_queue log_state log_tiles log_seals log_buckets log_branches sms_inbox `

// uses are the operations whose statements need an index, by the index as its table with its
// columns. An operation is one of operations, or "unique" with what the index refuses.
var uses = map[string]string{
	"accounts (id)":                              "pay",
	"accounts (kind, subject)":                   "audit",
	"accounts (id) partly":                       "audit", // those of closed wallets
	"transfers (id)":                             "history",
	"transfers (request_key)":                    "deliver",
	"entries (transfer_id, line)":                "deliver",
	"entries (account_id, transfer_id)":          "history",
	"stripes (account_id, stripe)":               "audit",
	"payments (id)":                              "deliver",
	"payments (code)":                            "support",
	"payments (txn_id)":                          "unique: a number at a biller; SQLite only",
	"payments (customer_id, accepted_at)":        "repeat",
	"payments (biller, due_at) partly":           "deliver", // the open ones
	"payment_attempts (payment_id, number)":      "deliver",
	"payment_attempts (id)":                      "audit",
	"promises (id)":                              "notify",
	"promises (lane, key)":                       "unique: one for an event",
	"promises (lane, due_at) partly":             "notify", // the open ones
	"messages (id)":                              "unique: an id",
	"messages (key)":                             "unique: one for an event",
	"messages (phone, id)":                       "messages",
	"messages (made_at)":                         "purge",
	"messages (queue, due_at) partly":            "send",  // the open ones
	"messages (asked_at) partly":                 "count", // SQLite: those with a repeat
	"messages (id) partly":                       "count", // PostgreSQL: those with a repeat
	"drafts (id)":                                "pay",
	"drafts (txn_id)":                            "unique: a number at a biller",
	"sessions (id)":                              "pay",
	"sessions (handle)":                          "pay",
	"sessions (customer_id)":                     "settings",
	"customers (id)":                             "pay",
	"customers (phone)":                          "login",
	"customers (closed_phone, closed_at) partly": "login", // those of closed wallets
	"biller_slots (biller, slot)":                "deliver",
	"wallet_transfers (id)":                      "transfer",
	"wallet_transfers (sender_id, accepted_at)":  "transfer",
	"wallet_transfer_drafts (id)":                "purge",
	"log_queue (id)":                             "seal",
	"log_state (id)":                             "unique: there is one",
	"log_tiles (level, number)":                  "seal",
	"log_seals (first)":                          "audit",
	"log_buckets (first, bucket)":                "unique: a bucket of a seal",
	"log_buckets (bucket, first)":                "audit",
	"log_branches (number)":                      "unique: a number",
	"sms_inbox (id)":                             "purge",
	"sms_inbox (message_id)":                     "unique: a message is stored once",
	"sms_inbox (phone, created_at)":              "send",
}

// living are rows in addition to crowd: nothing of it has to be purged.
//
//nolint:dupword // columns
const living = `
CREATE TEMPORARY TABLE n AS SELECT n, 2000000 + n AS id FROM generate_series(1, 10000) n;
UPDATE drafts SET expires_at = now();
UPDATE sessions SET seen_at = now();
UPDATE sms_inbox SET created_at = now();
INSERT INTO wallet_transfer_drafts (id, sender_id, receiver_id, phone, receiver, amount, channel, made_at, expires_at)
	SELECT id, id, 1, '', '', 100, 'web', now(), now() FROM n;
INSERT INTO log_seals (first, count, records, checkpoint, sealed_at) SELECT id, 1, '', '', now() FROM n;
INSERT INTO log_buckets (first, bucket) SELECT id, id FROM n;
INSERT INTO log_tiles (level, number, hashes) SELECT 8, id, '' FROM n;
DROP TABLE n;
ANALYZE`

// onlyOne are the indexes that one of the databases has.
var onlyOne = []string{"payments (txn_id)", "messages (asked_at) partly", "messages (id) partly"}

// operations are operations by name; their statements are explained.
func (app *testApp) operations() map[string]func() {
	ctx, holder := context.Background(), app.newCustomer(1000_00)
	b := app.browserOf(holder)
	page := func(path string) func() { return func() { b.ask(http.MethodGet, path, nil) } }
	return map[string]func(){
		"pay":      func() { app.browserOf(holder).draft(company, "250,50").press("Оплатить") },
		"history":  page("/history"),
		"repeat":   page("/cabinet"),
		"settings": page("/settings"),
		"messages": page("/messages"),
		"login": func() {
			_, _ = app.Customers.ByPhone(ctx, holder.Phone)
			_, _ = app.Customers.ClosedAt(ctx, holder.Phone)
		},
		"transfer": func() {
			_, _ = app.Transfers.Draft(ctx, holder.ID, "web", 1)
			_, _ = app.Transfers.ByID(ctx, holder.ID, 1)
			_, _ = app.Transfers.SentSince(ctx, holder.ID, app.DB.Now())
		},
		"deliver": func() {
			app.startDeliveries()
			app.browserOf(holder).draft(company, "250,50").press("Оплатить").waitEnded()
		},
		"notify": func() {
			require.NoError(app.t, app.DB.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
				_, err := outbox.Acquire(ctx, tx, "email", 1, time.Minute)
				return err
			}))
		},
		"send": func() { app.messages(holder.Phone) },
		"support": func() {
			_, _ = app.Payments.ByCode(ctx, "123456789015")
			_, _, _ = app.Payments.Unresolved(ctx)
		},
		"count": func() { _, err := app.Messages.Count(ctx); require.NoError(app.t, err) },
		"purge": func() {
			old := app.DB.Now().AddDate(0, 0, -30)
			for _, purge := range []func(context.Context) (int64, error){app.Payments.Purge, app.Transfers.Purge, app.handlers.Sessions.Purge} {
				_, err := purge(ctx)
				require.NoError(app.t, err)
			}
			_, err := app.Messages.Purge(ctx, old)
			require.NoError(app.t, err)
			_, err = inbox.New(app.DB).Purge(ctx, old)
			require.NoError(app.t, err)
		},
		"seal": func() {
			for range 2 {
				app.deposit(holder, 100_00)
				_, err := app.log.Seal(ctx)
				require.NoError(app.t, err)
			}
		},
		"audit": func() {
			_, err := audit.RunSince(ctx, app.DB, app.DB.Now().Add(-time.Hour), audit.Outside{})
			require.NoError(app.t, err)
		},
	}
}

// Each index of the tables that a payment writes is used by a statement of the program,
// on both databases: one that isn't would be written for nothing. PostgreSQL plans for
// 10,000 wallets; SQLite has no statistics, so its plans don't depend on the rows.
func TestIndexesAreUsed(t *testing.T) {
	t.Parallel()
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := &traced{}
			app := newAppWith(t, options{newDB: newDB, trace: sent.add})
			if app.DB.Dialect() == database.Postgres {
				databasetest.Tamper(t, app.DB, crowd)
				databasetest.Tamper(t, app.DB, living)
			}
			operations, indexes, used := app.operations(), app.indexes(), map[string][]string{}
			for _, operation := range slices.Sorted(maps.Keys(operations)) {
				sent.take()
				operations[operation]()
				used[operation] = app.usedIndexes(sent.take())
			}
			for index, columns := range indexes {
				operation, known := uses[columns]
				switch {
				case !known:
					t.Errorf("%s, %s, has no operation that uses it", index, columns)
				case !strings.HasPrefix(operation, "unique") && !slices.Contains(used[operation], index):
					t.Errorf("%s, %s, is not used by %s but by %v", index, columns, operation, usedBy(used, index))
				}
			}
			for columns := range uses {
				if !slices.Contains(slices.Collect(maps.Values(indexes)), columns) && !slices.Contains(onlyOne, columns) {
					t.Errorf("there is no index %s", columns)
				}
			}
		})
	}
}

// indexes returns the indexes of the written tables with their tables and columns.
func (app *testApp) indexes() map[string]string {
	app.t.Helper()
	query := `SELECT m.name, i.name, i.partial, (SELECT GROUP_CONCAT(c.name, ', ') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno) c)
		FROM sqlite_master m, pragma_index_list(m.name) i WHERE m.type = 'table'`
	if app.DB.Dialect() == database.Postgres {
		query = `SELECT c.relname, i.relname, x.indpred IS NOT NULL, (SELECT STRING_AGG(a.attname, ', ' ORDER BY k.n)
				FROM unnest(x.indkey::int2[]) WITH ORDINALITY k(column_number, n) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.column_number)
			FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid`
	}
	rows, err := app.DB.Pool().QueryContext(context.Background(), query)
	require.NoError(app.t, err)
	defer func() { _ = rows.Close() }()
	found := map[string]string{}
	for rows.Next() {
		var table, index, columns string
		var partial bool
		require.NoError(app.t, rows.Scan(&table, &index, &partial, &columns))
		if !slices.Contains(strings.Fields(written), table) {
			continue
		}
		if found[index] = table + " (" + columns + ")"; partial {
			found[index] += " partly"
		}
	}
	require.NoError(app.t, rows.Err())
	return found
}

var anyIndex = regexp.MustCompile(`Index (?:Only )?Scan (?:Backward )?(?:using|on) (\w+)|Conflict Arbiter Indexes: (\w+)|USING (?:COVERING )?INDEX (\w+)`)

// usedIndexes returns the indexes in the plans of statements.
func (app *testApp) usedIndexes(list []statement) (used []string) {
	app.t.Helper()
	explain, connection := "EXPLAIN QUERY PLAN ", (*sql.Conn)(nil)
	if app.DB.Dialect() == database.Postgres {
		explain, connection = "EXPLAIN ", app.freePlanner()
	} else {
		var err error
		connection, err = app.DB.Pool().Conn(context.Background())
		require.NoError(app.t, err)
	}
	defer func() { _ = connection.Close() }()
	known := map[string]bool{}
	for _, s := range list {
		if app.DB.Dialect() == database.SQLite {
			s.text = strings.ReplaceAll(s.text, "?", "NULL")
		}
		if known[s.text] || strings.HasPrefix(s.text, "EXPLAIN") || !s.reads() && !strings.Contains(s.text, "ON CONFLICT") {
			continue
		}
		known[s.text] = true
		for _, line := range app.lines(connection, explain+s.text, s.args) {
			for _, m := range anyIndex.FindAllStringSubmatch(line, -1) {
				used = append(used, m[1]+m[2]+m[3])
			}
		}
	}
	return used
}

// lines returns the lines of a plan.
func (app *testApp) lines(connection *sql.Conn, explain string, args []any) (list []string) {
	app.t.Helper()
	rows, err := connection.QueryContext(context.Background(), explain, args...)
	require.NoError(app.t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var line string
		into := []any{new(any), new(any), new(any), &line}
		if app.DB.Dialect() == database.Postgres {
			into = into[3:]
		}
		require.NoError(app.t, rows.Scan(into...))
		list = append(list, line)
	}
	require.NoError(app.t, rows.Err())
	return list
}

// usedBy returns the operations that use an index.
func usedBy(used map[string][]string, index string) (list []string) {
	for operation, indexes := range used {
		if slices.Contains(indexes, index) {
			list = append(list, operation)
		}
	}
	slices.Sort(list)
	return list
}

// An update of a row that changes no indexed column touches no index (HOT), if the page has
// room. An index of a column that is updated for each payment would end that.
func TestUpdatesTouchNoIndex(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{newDB: databasetest.Postgres})
	holder := app.newCustomer(10_000_00)
	app.startDeliveries()
	const n = 20
	for range n {
		app.browserOf(holder).draft(company, "100").press("Оплатить").waitEnded()
	}
	const more = 10 * n // than the updates by signing in, which give a session another id
	for i := range more {
		databasetest.Tamper(t, app.DB, "UPDATE sessions SET seen_at = now() WHERE handle = (SELECT handle FROM sessions ORDER BY handle OFFSET ? LIMIT 1)", i%n)
	}
	all, hot := app.updates("sessions", more)
	counts := map[string][2]int{"sessions": {all, hot}}
	for _, table := range []string{"accounts", "stripes", "payment_attempts", "biller_slots"} {
		all, hot := app.updates(table, n)
		counts[table] = [2]int{all, hot}
	}
	for table, c := range counts {
		// Not all: while another transaction reads, a page can't be pruned.
		if 4*c[1] < c[0] {
			t.Errorf("%s: %d of %d updates touch indexes", table, c[0]-c[1], c[0])
		}
	}
}

// updates returns how many updates PostgreSQL has counted of a table's rows, and how many of
// them touched no index. They are counted a second after they are made; it waits for least.
func (app *testApp) updates(table string, least int) (all, hot int) {
	app.t.Helper()
	require.Eventually(app.t, table+" has its updates counted", func() bool {
		all = app.count("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = $1", table)
		hot = app.count("SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = $1", table)
		return all >= least
	})
	return all, hot
}
