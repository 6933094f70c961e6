package chaos_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// TestClock sets the clock of two portals back an hour during payments, then
// forward a day: leases seem to have expired during calls, messages become due
// later, sessions expire. No payment is lost or made twice.
func TestClock(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		if name == "sqlite" && !*full {
			continue // covered by PostgreSQL
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newScenario(t, address, 2, scale(2, 6))
			clock := filepath.Join(t.TempDir(), "clock")
			for _, s := range d.portals {
				s.Portal.Stop(syscall.SIGTERM)
				s.Binary, s.Env = system.ChaosBinary, append(s.Env, "CHAOS_CLOCK="+clock)
				s.Start(t)
			}
			for range scale(1, 3) {
				d.pressDuring(60, func() { d.setClock(clock, "-1h") })
				for _, a := range d.drafts(10) {
					if d.press(d.anyPortal(), a) != gotAccepted {
						t.Errorf("with the clock an hour back: %s", strings.Join(a.answers, ", "))
					}
				}
				d.pressDuring(60, func() { d.setClock(clock, "23h") })
				for _, h := range d.customers {
					d.logIn(h)
				}
				for _, a := range d.drafts(10) {
					if d.press(d.anyPortal(), a) != gotAccepted {
						t.Errorf("with the clock a day ahead: %s", strings.Join(a.answers, ", "))
					}
				}
				d.setClock(clock, "0s")
			}
			d.setClock(clock, "24h") // messages queued with the later clock are due
			for _, h := range d.customers {
				d.logIn(h)
			}
			d.waitEnded()
			d.compareBooks()
			d.report("clock %d times back an hour and forward a day; %s", scale(1, 3), d.summary())
		})
	}
}

func (d *scenario) setClock(file, off string) {
	d.t.Helper()
	whole := file + ".new" // renamed, so that no reader sees a part
	if err := os.WriteFile(whole, []byte(off), 0o600); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Rename(whole, file); err != nil {
		d.t.Fatal(err)
	}
}

// logIn logs a customer in if the session has expired.
func (d *scenario) logIn(h *customer) {
	d.t.Helper()
	h.reader.Open("/")
	if h.reader.Path() != "/cabinet" {
		h.reader.Fill("phone", "0"+strings.TrimPrefix(h.Phone, "+996"))
		h.reader.Press("Войти")
		h.reader.Fill("password", h.Password)
		h.reader.Press("Войти")
	}
	h.takeToken()
}
