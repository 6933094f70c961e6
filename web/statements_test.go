package web_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
)

// traced records the statements sent to a database.
type traced struct {
	mu   sync.Mutex
	list []statement
}

type statement struct {
	text string
	args []any
}

func (s *traced) add(text string, args []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(text, "--") { // SQLite's word for a trigger
		s.list = append(s.list, statement{text, args})
	}
}

// take returns the statements since the last call.
func (s *traced) take() (list []statement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, s.list = s.list, nil
	return list
}

func (s *traced) shapes() (list []string) {
	for _, one := range s.take() {
		list = append(list, one.shape())
	}
	return list
}

var touching = regexp.MustCompile(`\b(from|join|into|update) ([a-z_]+)|\blocking\b`)

// shape returns a statement's tables with what it does to them.
func (s statement) shape() string {
	text := strings.ToLower(strings.Join(strings.Fields(s.text), " "))
	text = strings.NewReplacer("\"", "", "`", "", "for update", "locking", "do update", "do").Replace(text)
	found := slices.DeleteFunc(touching.FindAllString(text, -1), func(word string) bool {
		return slices.Contains([]string{"from v", "from unnest", "from picked", "join lateral"}, word)
	})
	if len(found) == 0 {
		return strings.Fields(text)[0]
	}
	return strings.Join(found, ", ")
}

// TestStatementsOfAPayment lists every statement of «Оплатить»: nothing is read before its
// batch, which proves the session.
func TestStatementsOfAPayment(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		newDB func(testing.TB, ...database.Option) *database.DB
		batch []string
	}{
		// SQLite's trace has no begin and commit, and a statement again for its trigger's condition.
		"sqlite": {databasetest.SQLite, []string{
			"update accounts", "update accounts", "from customers, join sessions",
			"into transfers", "into entries", "into stripes", "into payments", "into log_queue",
		}},
		"postgres": {databasetest.Postgres, []string{
			"begin", "update accounts", "from customers, join sessions",
			"into transfers, into entries, into stripes, into payments, into log_queue", "commit",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent, noon := &traced{}, time.Now()
			app := newAppWith(t, options{trace: sent.add, newDB: func(t testing.TB, options ...database.Option) *database.DB {
				// The clock is stopped, so that no periodic statement runs.
				return c.newDB(t, append(options, database.WithClock(func() time.Time { return noon }))...)
			}})
			holder := app.newCustomer(1000_00)
			paid := func(want ...string) {
				t.Helper()
				if got := sent.shapes(); !slices.Equal(got, want) {
					t.Errorf("statements:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
			pay := func(b *browser) {
				action, values := b.paying()
				sent.take()
				if answer := b.ask(http.MethodPost, action, values); answer.Code != http.StatusSeeOther {
					t.Fatalf("answered %d: %s", answer.Code, answer.Body)
				}
			}
			pay(app.browserOf(holder).draft(company, "100")) // opens the biller's account, once
			b := app.browserOf(holder).draft(company, "250,50")
			pay(b)
			paid(c.batch...) // session and draft are remembered
			pay(b)           // again: nothing is paid that proves the session
			again := []string{"from drafts, join payments", "from payments"}
			paid(slices.Concat(again, []string{"from sessions, join customers"}, again)...)
			app.wantBalance(holder, 649_50)
			app.wantAudit()
		})
	}
}

// TestStatementsOfAPaymentForm checks that a good form reads nothing that only the
// form's page shows: the balance is read once, by the service.
func TestStatementsOfAPaymentForm(t *testing.T) {
	t.Parallel()
	sent, noon := &traced{}, time.Now()
	app := newAppWith(t, options{trace: sent.add, newDB: func(t testing.TB, options ...database.Option) *database.DB {
		return databasetest.SQLite(t, append(options, database.WithClock(func() time.Time { return noon }))...)
	}})
	b := app.browserOf(app.newCustomer(1000_00)).open("/pay/dostek")
	for _, c := range []struct {
		amount           string
		status, balances int
	}{
		{"100", http.StatusSeeOther, 1},
		{"2000", http.StatusUnprocessableEntity, 2}, // the service and the page
	} {
		values := form(b, "account", company, "amount", c.amount)
		sent.take()
		if answer := b.ask(http.MethodPost, "/pay/dostek", values); answer.Code != c.status {
			t.Fatalf("%s som: status %d, want %d", c.amount, answer.Code, c.status)
		}
		balances := 0
		for _, shape := range sent.shapes() {
			switch shape {
			case "from balances", "from accounts":
				balances++
			case "from services", "from categories":
				t.Errorf("%s som: the catalog is read from the database", c.amount)
			}
		}
		if balances != c.balances {
			t.Errorf("%s som: the balance is read %d times, want %d", c.amount, balances, c.balances)
		}
	}
}
