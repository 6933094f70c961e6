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

// countParameters returns the number of parameters of a statement.
func countParameters(text string) int {
	list := numbered.FindAllString(text, -1)
	slices.Sort(list)
	return len(slices.Compact(list))
}

func placeholders(n int) string {
	list := make([]string, n)
	for i := range n {
		list[i] = "$" + strconv.Itoa(i+1)
	}
	return strings.Join(list, ", ")
}

// However many messages are open, the statements that acquire and end messages
// read only the rows they are about, as PostgreSQL plans them for all values,
// whatever statistics it has of the table.
func TestPlansReadOnlyTheGivenMessages(t *testing.T) {
	t.Parallel()
	type statement struct {
		text   string
		values []any
	}
	var sent []statement
	db := databasetest.Postgres(t, database.WithTrace(func(text string, args []any) {
		if strings.HasPrefix(text, "WITH") || strings.HasPrefix(text, "UPDATE promises") {
			// pgx options come before the parameters.
			sent = append(sent, statement{text, args[len(args)-countParameters(text):]})
		}
	}))
	ctx := context.Background()
	connection, err := databasetest.Superuser(t, db).Pool().Conn(ctx)
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
			SELECT n, 'test', n, '{}', 'open', now() - n * 7919 %% %[1]d * interval '1 millisecond', now()
			FROM generate_series((SELECT COUNT(*) FROM promises) + 1, %[1]d) n`, open))
	}
	for _, statistics := range []string{"as a new table", "as 8000 open", "as 30000 open", "as none open"} {
		switch statistics {
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
		if statistics == "as a new table" {
			run("DELETE FROM promises WHERE id > 8000")
			run("UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relname LIKE 'promises%'")
			run("DELETE FROM pg_statistic WHERE starelid = 'promises'::regclass")
		}
		run("UPDATE promises SET lease = 0, due_at = made_at WHERE due_at > made_at") // acquired in the last round
		sent = nil
		acquireAndEnd(t, db, n)
		if len(sent) != 4 {
			t.Fatalf("%d statements were seen", len(sent))
		}
		for _, s := range sent {
			run("PREPARE planned AS " + s.text)
			rows, err := connection.QueryContext(ctx, "EXPLAIN ANALYZE EXECUTE planned("+placeholders(len(s.values))+")",
				append([]any{pgx.QueryExecModeSimpleProtocol}, s.values...)...)
			if err != nil {
				t.Fatal(err)
			}
			plan, read := rowsRead(t, rows)
			run("DEALLOCATE planned")
			if read > 3*n {
				t.Errorf("%s: %d rows read for %d\n%s\n%s", statistics, read, n, s.text, plan)
			}
		}
	}
}

// acquireAndEnd runs each statement that acquires or ends messages once.
func acquireAndEnd(t *testing.T, db *database.DB, n int) {
	t.Helper()
	err := db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
		messages, err := outbox.Acquire(ctx, tx, "test", n, time.Minute)
		if err != nil {
			return err
		}
		if err := outbox.Complete(ctx, tx, messages[4:6]...); err != nil {
			return err
		}
		if err := outbox.Fail(ctx, tx, messages[6:8]...); err != nil {
			return err
		}
		return outbox.Postpone(ctx, tx, outbox.Postponement{Message: messages[8], At: tx.Now()}, outbox.Postponement{Message: messages[9], At: tx.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// rowsRead returns an analyzed plan and the number of rows that its scans returned.
func rowsRead(t *testing.T, rows *sql.Rows) (plan string, read int) {
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
