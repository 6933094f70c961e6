package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
	"elsom/internal/testkit/system"
)

// A list of 100 companies is paid by a portal that is killed twice in the middle and started
// again: each company is paid once.
func TestKilledListPaysEachCompanyOnce(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := system.NewSite(t, address, system.WithoutRateLimits)
			r, _ := system.NewMember(t, s, "2000.00")
			books := databasetest.Reopen(t, s.Database)
			count := func(query string) (n int) {
				t.Helper()
				require.NoError(t, books.Pool().QueryRow(query).Scan(&n))
				return n
			}
			killed := func() {
				t.Helper()
				require.NoError(t, s.Portal.Cmd.Process.Kill())
				<-s.Portal.Done
				s.Start(t)
			}
			var list strings.Builder
			for i := range 100 {
				fmt.Fprintf(&list, "0020719%07d; 12,50\n", i)
			}
			r.Open("/pay/dostek/list")
			r.Fill("list", list.String())
			r.Press("Проверить список")
			at := r.URL.Path
			require.Eventually(t, "some lines are checked", func() bool {
				return count("SELECT COUNT(*) FROM payment_list_lines WHERE state = 'good'") > 5
			})
			killed()
			waitFor(t, "the list is ready", func() bool { return count("SELECT COUNT(*) FROM payment_lists WHERE state = 'ready'") == 1 })
			r.Open(at)
			r.Press("Оплатить 1")
			for _, least := range []int{5, 40} {
				waitFor(t, "payments are accepted", func() bool { return count("SELECT COUNT(*) FROM payments") >= least })
				killed()
			}
			waitFor(t, "the list is done", func() bool { return count("SELECT COUNT(*) FROM payment_lists WHERE state = 'done'") == 1 })
			waitFor(t, "all payments are completed", func() bool { return count("SELECT COUNT(*) FROM payments WHERE state = 'completed'") == 100 })
			for i := range 100 {
				if got := s.CompanyBalance(t, fmt.Sprintf("0020719%07d", i)); got != 12_50 {
					t.Errorf("company %d has %d", i, got)
				}
			}
			r.Open(at)
			system.WantText(t, r, "Список оплачен")
			r.Open("/cabinet")
			system.WantAttribute(t, r, "data-balance", "75000")
			s.Audit(t)
		})
	}
}

// waitFor waits longer than require.Eventually: a lease of a killed process lasts 30 seconds.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for begin := time.Now(); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > 3*time.Minute {
			t.Fatalf("timeout: %s", what)
		}
	}
}
