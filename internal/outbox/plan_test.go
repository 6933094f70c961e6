package outbox_test

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/outbox"
)

var scanned = regexp.MustCompile(`Scan .*promises.*actual .*rows=(\d+)`)

func dollars(n int) string {
	list := make([]string, n)
	for i := range n {
		list[i] = "$" + strconv.Itoa(i+1)
	}
	return strings.Join(list, ", ")
}

// However many promises are open, a claim reads those that it takes, as
// PostgreSQL plans it for all values, whatever it last knew of the table.
func TestAClaimReadsWhatItTakes(t *testing.T) {
	t.Parallel()
	var sent string
	var values []any
	db := databasetest.Postgres(t, database.WithTrace(func(text string, args []any) {
		if strings.HasPrefix(text, "WITH picked") {
			sent, values = text, args[1:] // behind how the answer is to come
		}
	}))
	ctx := context.Background()
	connection, err := db.Pool().Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	run := func(statement string) {
		t.Helper()
		if _, err := connection.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	const n = 12
	for _, open := range []int{8_000, 30_000, 0} {
		if open > 0 {
			run(fmt.Sprintf(`INSERT INTO promises (id, lane, key, payload, state, due_at, made_at)
				SELECT n, 'lane', n, '{}', 'open', now() - n * 7919 %% %[1]d * interval '1 millisecond', now()
				FROM generate_series((SELECT COUNT(*) FROM promises) + 1, %[1]d) n`, open))
			run("ANALYZE promises")
		} else {
			run("UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relname LIKE 'promises%'") // as of a new table
			run("DELETE FROM pg_statistic WHERE starelid = 'promises'::regclass")
		}
		err := db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
			_, err := outbox.Claim(ctx, tx, "lane", n, 1)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		run("PREPARE claim AS " + sent)
		rows, err := connection.QueryContext(ctx, "EXPLAIN ANALYZE EXECUTE claim("+dollars(len(values))+")",
			append([]any{pgx.QueryExecModeSimpleProtocol}, values...)...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		read := 0
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, line)
			if m := scanned.FindStringSubmatch(line); m != nil {
				some, _ := strconv.Atoi(m[1])
				read += some
			}
		}
		_ = rows.Close()
		run("DEALLOCATE claim")
		// Once to pick them, once to change them.
		if read < n || read > 3*n {
			t.Errorf("%d open: %d rows read to claim %d\n%s", open, read, n, strings.Join(plan, "\n"))
		}
	}
}
