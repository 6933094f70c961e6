package securitylog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/internal/securitylog"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

const number = phone.Number("+996700123456")

func newLog(t testing.TB, db *database.DB, keep time.Duration) *securitylog.Log {
	t.Helper()
	l, err := securitylog.New(db, securitylog.Options{Secret: testkit.Secret, Keep: keep})
	require.NoError(t, err)
	return l
}

func from(address, browser string) context.Context {
	return securitylog.WithSource(context.Background(), &securitylog.Source{
		RequestID: "request-1", Address: func() string { return address }, Browser: func() string { return browser },
	})
}

var loginFailed = securitylog.Kind{Event: securitylog.Login, Outcome: securitylog.Failed}

func rows(t testing.TB, l *securitylog.Log, q securitylog.Query) (list []securitylog.Row) {
	t.Helper()
	require.NoError(t, l.Close(context.Background()))
	require.NoError(t, l.Each(context.Background(), q, func(r securitylog.Row) error { list = append(list, r); return nil }))
	return list
}

func TestRecordAndRead(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := newLog(t, db, 0)
		l.Record(from("192.0.2.77", "device"), securitylog.Entry{Kind: loginFailed, Detail: "customer.password_wrong", Number: number})
		l.Record(from("2001:db8:1:2:3::4", ""), securitylog.Entry{Kind: securitylog.Kind{Event: securitylog.PIN, Outcome: securitylog.OK}, Wallet: 7})
		l.Record(context.Background(), securitylog.Entry{Kind: securitylog.Kind{Event: securitylog.MachineLogin, Outcome: securitylog.Refused}, Caller: "kicb"})
		all := rows(t, l, securitylog.Query{})
		if len(all) != 3 {
			t.Fatalf("%d rows: %+v", len(all), all)
		}
		first, second := all[0], all[1]
		if first.Network != "192.0.2.0/24" || len(first.Number) != 32 || len(first.Browser) != 32 || first.RequestID != "request-1" || first.Count != 1 {
			t.Errorf("%+v", first)
		}
		if second.Network != "2001:db8:1::/48" || second.Browser != "" || second.Number != "" || second.Wallet != 7 {
			t.Errorf("%+v", second)
		}
		for _, c := range []struct {
			name string
			q    securitylog.Query
			want int
		}{
			{"number", securitylog.Query{Number: number}, 1},
			{"number and wallet", securitylog.Query{Number: number, Wallet: 7}, 2},
			{"other number", securitylog.Query{Number: "+996700123457"}, 0},
			{"event", securitylog.Query{Event: securitylog.PIN}, 1},
			{"outcome", securitylog.Query{Outcome: securitylog.Refused}, 1},
			{"since", securitylog.Query{Since: db.Now().Add(time.Hour)}, 0},
		} {
			if got := rows(t, l, c.q); len(got) != c.want {
				t.Errorf("%s: %d rows, want %d", c.name, len(got), c.want)
			}
		}
		other := bytes.Repeat([]byte("x"), 32)
		for name, c := range map[string]struct {
			o    securitylog.Options
			want int
		}{
			"another secret": {securitylog.Options{Secret: other}, 0},
			"the next one":   {securitylog.Options{Secret: other, PreviousSecret: testkit.Secret}, 1},
		} {
			reader, err := securitylog.New(db, c.o)
			require.NoError(t, err)
			if got := rows(t, reader, securitylog.Query{Number: number}); len(got) != c.want {
				t.Errorf("found with %s: %+v", name, got)
			}
		}
	})
}

// What identifies a person is stored as keyed hashes, and of an address the network only.
func TestNothingPrivateIsStored(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := newLog(t, db, 0)
		l.Record(from("192.0.2.77", "the-device-token"), securitylog.Entry{Kind: loginFailed, Number: number})
		stored, err := json.Marshal(rows(t, l, securitylog.Query{}))
		require.NoError(t, err)
		for _, private := range []string{"700123456", "192.0.2.77", "the-device"} {
			if strings.Contains(string(stored), private) {
				t.Errorf("%s is stored: %s", private, stored)
			}
		}
	})
}

func TestOutcomeOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want securitylog.Outcome
	}{
		{nil, securitylog.OK},
		{fault.New(fault.Invalid, "", ""), securitylog.Failed},
		{fault.New(fault.TooMany, "", ""), securitylog.Limited},
		{fault.New(fault.Forbidden, "", ""), securitylog.Refused},
		{fault.New(fault.NotFound, "", ""), securitylog.Refused},
		{fault.New(fault.Unavailable, "", ""), securitylog.Errored},
		{fault.New(fault.Unknown, "", ""), securitylog.Errored},
		{errors.New("any"), securitylog.Errored},
	} {
		if got := securitylog.OutcomeOf(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}

// Rows can't be changed, and deleted only after their time.
func TestRowsAreKept(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx := context.Background()
		l := newLog(t, db, 0)
		old := newLog(t, db, -2*time.Hour)
		for _, one := range []*securitylog.Log{l, old} {
			one.Record(ctx, securitylog.Entry{Kind: loginFailed})
			require.NoError(t, one.Close(ctx))
		}
		statements := []string{"UPDATE security_events SET outcome = 'ok'", "UPDATE security_events SET keep_until_ms = 0", "DELETE FROM security_events"}
		if db.Dialect() == database.Postgres {
			statements = append(statements, "TRUNCATE security_events")
		}
		for _, statement := range statements {
			if err := databasetest.Owner(t, db).Gorm(ctx).Exec(statement).Error; err == nil {
				t.Errorf("%s was allowed", statement)
			}
		}
		if n, err := l.Purge(ctx); n != 1 || err != nil {
			t.Errorf("purged %d (%v), want 1", n, err)
		}
		if left := rows(t, l, securitylog.Query{}); len(left) != 1 {
			t.Errorf("%d are left, want 1", len(left))
		}
	})
}

// Repeated events of one group take a few rows and one with the count of the others.
func TestRepeatsAreCounted(t *testing.T) {
	t.Parallel()
	clock := &testkit.Clock{}
	db := databasetest.SQLite(t, clock.Option())
	l := newLog(t, db, 0)
	const events = 500
	for n := range events {
		l.Record(from("192.0.2.77", fmt.Sprint("device", n)), securitylog.Entry{Kind: loginFailed, Number: number})
	}
	clock.Advance(11 * time.Minute)
	l.Record(from("192.0.2.77", ""), securitylog.Entry{Kind: loginFailed, Number: number})
	all, sum := rows(t, l, securitylog.Query{}), int64(0)
	for _, r := range all {
		sum += r.Count
	}
	if len(all) != 5 || sum != events+1 {
		t.Errorf("%d rows of %d events, want 5 of %d", len(all), sum, events+1)
	}
	if got := l.Counts()[loginFailed]; got != events+1 {
		t.Errorf("%d were counted", got)
	}
}

// A flood of failures from many numbers and networks takes a bounded number of rows, and
// the successes beside it keep theirs.
func TestRowsAreBounded(t *testing.T) {
	t.Parallel()
	db := databasetest.SQLite(t)
	l := newLog(t, db, 0)
	const flood = 3000
	for n := range flood {
		l.Record(from(fmt.Sprintf("10.%d.%d.1", n/250, n%250), ""), securitylog.Entry{Kind: loginFailed, Number: number})
	}
	l.Record(from("192.0.2.77", "device"), securitylog.Entry{Kind: securitylog.Kind{Event: securitylog.Login, Outcome: securitylog.OK}, Number: number, Wallet: 7})
	all, sum := rows(t, l, securitylog.Query{}), int64(0)
	for _, r := range all {
		sum += r.Count
	}
	if len(all) != 1002 || sum != flood+1 {
		t.Errorf("%d rows of %d events, want 1002 of %d", len(all), sum, flood+1)
	}
	if last := rows(t, l, securitylog.Query{Number: number, Outcome: securitylog.OK}); len(last) != 1 || last[0].Network == "" {
		t.Errorf("the success: %+v", last)
	}
}

// Rows that could not be written are written later, once.
func TestFailedWriteIsRepeated(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		l := newLog(t, db, 0)
		l.Record(context.Background(), securitylog.Entry{Kind: loginFailed})
		ended, end := context.WithCancel(context.Background())
		end()
		if err := l.Close(ended); err == nil {
			t.Error("written without a database")
		}
		for range 2 {
			if all := rows(t, l, securitylog.Query{}); len(all) != 1 {
				t.Errorf("%d rows, want 1", len(all))
			}
		}
	})
}

// While the database is away, memory is bounded.
func TestFullQueueDrops(t *testing.T) {
	t.Parallel()
	clock := &testkit.Clock{}
	l := newLog(t, databasetest.SQLite(t, clock.Option()), 0)
	const events = 21_000
	for n := range events {
		if n%1000 == 0 {
			clock.Advance(11 * time.Minute)
		}
		l.Record(context.Background(), securitylog.Entry{Kind: loginFailed, Wallet: int64(n)})
	}
	if got := l.Dropped(); got != 1000 {
		t.Errorf("%d were dropped, want 1000", got)
	}
}

func TestBurstIsLogged(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	l := newLog(t, databasetest.SQLite(t), 0)
	for range 600 {
		l.Record(context.Background(), securitylog.Entry{Kind: loginFailed})
	}
	if n := strings.Count(log.String(), "burst of events"); n != 1 {
		t.Errorf("%d warnings, want 1: %s", n, log.String())
	}
}

// Record without a log or a source, from many goroutines.
func TestRecordAtOnce(t *testing.T) {
	t.Parallel()
	var none *securitylog.Log
	none.Record(context.Background(), securitylog.Entry{Kind: loginFailed})
	none.RecordUnlessLimited(context.Background(), securitylog.Entry{Kind: loginFailed})
	l := newLog(t, databasetest.SQLite(t), 0)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); l.Run(ctx) }()
	t.Run("writers", func(t *testing.T) {
		for n := range 8 {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				for range 100 {
					l.Record(from("192.0.2.1", "device"), securitylog.Entry{Kind: loginFailed, Wallet: int64(n)})
				}
			})
		}
	})
	stop()
	<-done
	sum := int64(0)
	for _, r := range rows(t, l, securitylog.Query{}) {
		sum += r.Count
	}
	if sum != 800 {
		t.Errorf("%d events were stored, want 800", sum)
	}
}

// Events and Outcomes have all constants of the source.
func TestAllEventsAreListed(t *testing.T) {
	source, err := os.ReadFile("securitylog.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\t\w+ +(?:Event|Outcome) += "(\w+)"`).FindAllSubmatch(source, -1)
	if want := len(securitylog.Events()) + len(securitylog.Outcomes()); len(declared) != want {
		t.Errorf("%d events and outcomes are declared, and %d are listed", len(declared), want)
	}
	for _, d := range declared {
		if !slices.Contains(securitylog.Events(), securitylog.Event(d[1])) && !slices.Contains(securitylog.Outcomes(), securitylog.Outcome(d[1])) {
			t.Errorf("%s is not listed", d[1])
		}
	}
}
