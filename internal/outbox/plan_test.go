package outbox_test

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/outbox"
)

var scanned = regexp.MustCompile(`Scan .*promises.*actual .*rows=(\d+)`)

var numbered = regexp.MustCompile(`\$\d+`)

// places counts the values of a statement.
func places(text string) int {
	list := numbered.FindAllString(text, -1)
	slices.Sort(list)
	return len(slices.Compact(list))
}

func dollars(n int) string {
	list := make([]string, n)
	for i := range n {
		list[i] = "$" + strconv.Itoa(i+1)
	}
	return strings.Join(list, ", ")
}

// However many promises are open, a claim and what ends claims read those that
// are meant, as PostgreSQL plans it for all values, whatever it last knew of
// the table.
func TestPlansReadWhatIsMeant(t *testing.T) {
	t.Parallel()
	type statement struct {
		text   string
		values []any
	}
	var sent []statement
	db := databasetest.Postgres(t, database.WithTrace(func(text string, args []any) {
		if strings.HasPrefix(text, "WITH") || strings.HasPrefix(text, "SELECT id, key, payload") || strings.HasPrefix(text, "UPDATE promises") {
			// Behind how the answer is to come.
			sent = append(sent, statement{text, args[len(args)-places(text):]})
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
	more := func(open int) {
		t.Helper()
		run(fmt.Sprintf(`INSERT INTO promises (id, lane, key, payload, state, due_at, made_at)
			SELECT n, 'lane', n, '{}', 'open', now() - n * 7919 %% %[1]d * interval '1 millisecond', now()
			FROM generate_series((SELECT COUNT(*) FROM promises) + 1, %[1]d) n`, open))
	}
	for _, known := range []string{"as a new table", "as 8000 open", "as 30000 open", "as none open"} {
		switch known {
		case "as 8000 open":
			more(8000)
			run("ANALYZE promises")
		case "as none open":
			run("UPDATE promises SET state = 'kept'")
			run("ANALYZE promises")
			run("UPDATE promises SET state = 'open'")
		default:
			more(30_000)
			run("ANALYZE promises")
		}
		if known == "as a new table" {
			run("DELETE FROM promises WHERE id > 8000")
			run("UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relname LIKE 'promises%'")
			run("DELETE FROM pg_statistic WHERE starelid = 'promises'::regclass")
		}
		run("UPDATE promises SET lease = 0, due_at = made_at WHERE due_at > made_at") // claimed in the last round
		sent = nil
		claimAndEnd(t, db, n)
		if len(sent) != 7 {
			t.Fatalf("%d statements were seen", len(sent))
		}
		for _, s := range sent {
			run("PREPARE planned AS " + s.text)
			rows, err := connection.QueryContext(ctx, "EXPLAIN ANALYZE EXECUTE planned("+dollars(len(s.values))+")",
				append([]any{pgx.QueryExecModeSimpleProtocol}, s.values...)...)
			if err != nil {
				t.Fatal(err)
			}
			plan, read := readBy(t, rows)
			run("DEALLOCATE planned")
			if read > 3*n {
				t.Errorf("%s: %d rows read for %d\n%s\n%s", known, read, n, s.text, plan)
			}
		}
	}
}

// claimAndEnd sends each statement about claims once.
func claimAndEnd(t *testing.T, db *database.DB, n int) {
	t.Helper()
	err := db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
		tasks, err := outbox.Acquire(ctx, tx, "lane", n, time.Minute)
		if err != nil {
			return err
		}
		if leased, err := outbox.ListLeased(ctx, tx, "lane", time.Minute); err != nil || len(leased) != n {
			return fmt.Errorf("%d are leased: %w", len(leased), err)
		}
		var riders []database.Rider
		for i, task := range tasks {
			if i < 2 {
				riders = append(riders, outbox.CompleteRider(outbox.MessageKey{Queue: "lane", Key: task.Key}))
			} else if i < 4 {
				riders = append(riders, outbox.CompleteLeasedRider(task))
			}
		}
		if err := database.WriteRiders(tx, [][]database.Rider{riders[:2], riders[2:]}, database.WriteSet{}); err != nil {
			return err
		}
		if err := outbox.Complete(ctx, tx, tasks[4:6]...); err != nil {
			return err
		}
		if err := outbox.Fail(ctx, tx, tasks[6:8]...); err != nil {
			return err
		}
		return outbox.Postpone(ctx, tx, outbox.Postponement{Message: tasks[8], At: tx.Now()}, outbox.Postponement{Message: tasks[9], At: tx.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// readBy gives a plan that was tried, and how many rows its scans gave.
func readBy(t *testing.T, rows *sql.Rows) (plan string, read int) {
	t.Helper()
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan += line + "\n"
		if m := scanned.FindStringSubmatch(line); m != nil {
			some, _ := strconv.Atoi(m[1])
			read += some
		}
	}
	return plan, read
}
