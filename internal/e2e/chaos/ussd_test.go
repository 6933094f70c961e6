package chaos_test

import (
	"fmt"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// The portal is killed between the PIN and its answer, a little later each time.
// The gateway's repeated request gets the payment code, and each payment is made
// once.
func TestKilledBetweenPINAndAnswer(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := system.NewSite(t, address, system.WithoutRateLimits), system.NewMegacomPerson()
			_, last := s.Dial(t, "begin", p.Phone, "2", "1", "Айжан Осмонова", "11503198500123", "1", "1")
			if !strings.HasPrefix(last, "END Кошелёк открыт") {
				t.Fatal(last)
			}
			issued := system.PINOf(s.WaitSMS(t, p.Phone, regexp.MustCompile(`^\d{4} `)))
			pin := system.KeepCode("7391")
			if _, last = s.Dial(t, "change", p.Phone, "8", "3", issued, pin, pin); last != "END ПИН изменён." {
				t.Fatal(last)
			}
			s.CashIn(t, p.Phone, "1000.00")
			codes := map[string]bool{}
			for i, ms := range []int{5, 15, 30, 45, 60, 90} {
				delay := time.Duration(ms) * time.Millisecond
				session := fmt.Sprintf("pay-%d", i)
				text, screen := s.Dial(t, session, p.Phone, "3", "3", "14", "14", p.INN, "100")
				if !strings.Contains(screen, "Введите ПИН") {
					t.Fatal(screen)
				}
				text += "*" + pin
				go func() { _, _ = s.USSD(session, p.Phone, text) }() // its answer is lost with the process, or arrives before
				time.Sleep(delay)
				s.Portal.Stop(syscall.SIGKILL)
				s.Start(t)
				var again [2]string
				for n := range again {
					var err error
					if again[n], err = s.USSD(session, p.Phone, text); err != nil {
						t.Fatal(err)
					}
				}
				code := regexp.MustCompile(`Код (\d{4} \d{4} \d{4})`).FindStringSubmatch(again[0])
				if code == nil || again[0] != again[1] || codes[code[1]] {
					t.Fatalf("after %v: %q, then %q", delay, again[0], again[1])
				}
				codes[code[1]] = true
			}
			for begin := time.Now(); s.CompanyBalance(t, p.INN) < 60_000 && time.Since(begin) < 60*time.Second; {
				time.Sleep(200 * time.Millisecond)
			}
			if b := s.CompanyBalance(t, p.INN); b != 60_000 {
				t.Errorf("six payments of 100 som: the company has %d", b)
			}
			s.Audit(t)
		})
	}
}
