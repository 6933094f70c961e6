package payment_test

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
)

var (
	parameter = regexp.MustCompile(`\$(\d+)`)
	scanned   = regexp.MustCompile(`Scan .*payments.*actual .*rows=(\d+)`)
)

// plans explains the statements that change payments or look at leased ones.
type plans struct {
	*testing.T
	sent       traced
	mu         sync.Mutex
	values     map[string][]any // by statement
	connection *sql.Conn
}

func (p *plans) add(text string, args []any) {
	if !strings.Contains(text, "UPDATE payments") && !strings.Contains(text, "oldest") {
		return
	}
	p.sent.add(text, nil)
	n := 0
	for _, m := range parameter.FindAllStringSubmatch(text, -1) {
		k, _ := strconv.Atoi(m[1])
		n = max(n, k)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.values[text] = args[len(args)-n:] // pgx options come before the parameters
}

func (p *plans) run(statements ...string) {
	p.Helper()
	for _, statement := range statements {
		_, err := p.connection.ExecContext(context.Background(), statement)
		require.NoError(p, err)
	}
}

// read runs a statement by its generic plan, and returns the plan and the number of payments
// that it reads.
func (p *plans) read(text string) (plan string, read int) {
	p.Helper()
	p.run("PREPARE planned AS "+text, "SET plan_cache_mode = force_generic_plan", "SET enable_seqscan = on")
	args := p.values[text]
	list := make([]string, len(args))
	for i := range args {
		list[i] = "$" + strconv.Itoa(i+1)
	}
	rows, err := p.connection.QueryContext(context.Background(), "EXPLAIN ANALYZE EXECUTE planned("+strings.Join(list, ", ")+")",
		append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...)
	require.NoError(p, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var line string
		require.NoError(p, rows.Scan(&line))
		plan += line + "\n"
		if m := scanned.FindStringSubmatch(line); m != nil {
			some, _ := strconv.Atoi(m[1])
			read += some
		}
	}
	require.NoError(p, rows.Close())
	p.run("DEALLOCATE planned")
	return plan, read
}

// However many payments are open, the statements that acquire, postpone and end them read
// only the rows they are about, as PostgreSQL plans them for all values, whatever statistics
// it has of the table.
//
//nolint:dupword // columns
func TestPlansReadOnlyTheGivenPayments(t *testing.T) {
	t.Parallel()
	p := &plans{T: t, values: map[string][]any{}}
	db := databasetest.Postgres(t, database.WithTrace(p.add))
	h := newFixture(t, db, later, good)
	ctx := context.Background()
	var err error
	p.connection, err = databasetest.Superuser(t, db).Pool().Conn(ctx)
	require.NoError(t, err)
	defer func() { _ = p.connection.Close() }()
	worker := h.Worker("dostek")
	const dueFirst = "UPDATE payments SET due_at = '2020-01-01' WHERE id > 1000000"
	for round, statistics := range [][]string{
		{
			"UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relname LIKE 'payments%'",
			"DELETE FROM pg_statistic WHERE starelid = 'payments'::regclass",
		},
		{"ANALYZE payments"},
		{
			"ALTER TABLE payments DISABLE TRIGGER USER", "UPDATE payments SET state = 'completed'", "ANALYZE payments",
			"UPDATE payments SET state = 'processing'", "ALTER TABLE payments ENABLE TRIGGER USER",
		},
	} {
		p.run(fmt.Sprintf(`INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at, due_at)
			SELECT id, 1, 'dostek', 'dostek', '', '', 1, 0, id, id, 'web', 'processing', now(), now() - n * interval '1 millisecond'
			FROM generate_series(1, 20000) n, LATERAL (SELECT %d + n AS id) i`, round*20_000))
		p.run(statistics...)
		paid := h.payEach(2)
		p.sent.take()
		for range 2 { // later, then good
			p.run(dueFirst)
			messages, err := worker.Acquire(ctx, 2)
			require.NoError(t, err)
			for _, m := range messages {
				worker.Do(ctx, m)
			}
		}
		for _, one := range paid {
			h.awaitEnd(one)
		}
		statements := p.sent.take()
		slices.Sort(statements)
		statements = slices.Compact(statements)
		if len(statements) != 4 {
			t.Errorf("%d statements were seen", len(statements))
		}
		for _, text := range statements {
			if plan, read := p.read(text); read > 200 {
				t.Errorf("%s: %d rows read\n%s\n%s", statistics, read, text, plan)
			}
		}
	}
}
