package payment_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/outbox"
	"elsom/internal/payment"
	"elsom/internal/testkit/require"
)

// traced records the statements sent to a database.
type traced struct {
	mu   sync.Mutex
	list []string
}

func (s *traced) add(text string, _ []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(text, "--") { // SQLite traces a trigger as a comment
		s.list = append(s.list, text)
	}
}

// take returns the statements since the last call.
func (s *traced) take() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, s.list = s.list, nil
	return list
}

var touching = regexp.MustCompile(`\b(from|into|update) ([a-z_]+)`)

// shapes returns the operations and tables of statements.
func shapes(list []string) (shapes []string) {
	for _, text := range list {
		text = strings.NewReplacer("\"", "", "`", "", "for update", "", "do update", "").Replace(strings.ToLower(strings.Join(strings.Fields(text), " ")))
		found := slices.DeleteFunc(touching.FindAllString(text, -1), func(table string) bool {
			return slices.Contains([]string{"from v", "from unnest", "from picked"}, table)
		})
		if len(found) == 0 {
			found = strings.Fields(text)[:1]
		}
		shapes = append(shapes, strings.Join(found, ", "))
	}
	return shapes
}

var eachDatabase = map[string]func(testing.TB, ...database.Option) *database.DB{
	"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres,
}

// Acquiring one delivery and acquiring twelve send the same statements.
func TestStatementsOfAcquire(t *testing.T) {
	want := []string{
		"begin", "from biller_slots, update biller_slots", "from payments, update payments", "from payments",
		"from payments", "from payment_attempts",
		"into payment_attempts, into log_queue", "commit", "from customers",
	}
	for name, open := range eachDatabase {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent, noon := &traced{}, time.Now()
			// The clock stands still, so that nothing periodic runs in between.
			db := open(t, database.WithTrace(sent.add), database.WithClock(func() time.Time { return noon }))
			want := want
			if name == "sqlite" { // whose trace has no begin and commit
				want = slices.DeleteFunc(slices.Clone(want), func(s string) bool { return s == "begin" || s == "commit" })
				want[len(want)-2] = "into payment_attempts"
				want = slices.Insert(want, len(want)-1, "into log_queue")
			}
			h := newFixture(t, db, good)
			worker := h.Worker("dostek")
			ctx := context.Background()
			_, err := worker.Acquire(ctx, 1) // reads the catalog
			require.NoError(t, err)
			for _, n := range []int{1, 11} {
				h.payEach(n)
				sent.take()
				messages, err := worker.Acquire(ctx, n)
				require.NoError(t, err)
				if len(messages) != n {
					t.Fatalf("%d acquired of %d", len(messages), n)
				}
				if got := shapes(sent.take()); !slices.Equal(got, want) {
					t.Errorf("acquiring %d sends\n%s\nnot\n%s", n, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				var calls sync.WaitGroup
				for _, message := range messages {
					calls.Go(func() { worker.Do(ctx, message) })
				}
				calls.Wait()
			}
		})
	}
}

// The number of statements per completed payment when many are completed, from
// acquiring to the last commit: two or three. One at a time it would be twenty.
func TestStatementsOfADelivery(t *testing.T) {
	const n = 300
	for name, open := range eachDatabase {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := &traced{}
			db := open(t, database.WithTrace(sent.add))
			h := newFixture(t, db, good)
			var c customer.Customer
			var last payment.Payment
			for i := range n {
				if i%15 == 0 {
					c = h.NewCustomer(1000_00)
				}
				last = h.pay(c, "1")
			}
			sent.take()
			ctx, cancel := context.WithCancel(context.Background())
			var working sync.WaitGroup
			working.Go(func() { outbox.Work(ctx, db, h.Notifier, h.Worker("dostek")) })
			require.Eventually(t, "all are completed", func() bool {
				return h.Count("SELECT COUNT(*) FROM payments WHERE state = 'processing'") == 0
			})
			cancel()
			working.Wait()
			if all := len(sent.take()); all > 7*n {
				t.Errorf("%d statements for %d payments", all, n)
			}
			h.awaitEnd(last)
			h.WantAudit()
		})
	}
}
