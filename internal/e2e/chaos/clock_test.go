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

// The clock of two portals goes back an hour amid payments, and then forward a
// day: leases seem to be over while calls are under way, promises seem to be
// due later, sessions end. Nothing is paid twice, nothing is lost.
func TestClock(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		if name == "sqlite" && !*long {
			continue // alike, and the other has the larger house
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDisaster(t, address, 2, size(2, 6))
			clock := filepath.Join(t.TempDir(), "clock")
			for _, s := range d.portals {
				s.Portal.Stop(syscall.SIGTERM)
				s.Binary, s.Env = system.ChaosBinary, append(s.Env, "CHAOS_CLOCK="+clock)
				s.Start(t)
			}
			for range size(1, 3) {
				d.struck(60, func() { d.setClock(clock, "-1h") })
				for _, a := range d.drafts(10) {
					if d.press(d.any(), a) != isOK {
						t.Errorf("an hour ago: %s", strings.Join(a.was, ", "))
					}
				}
				d.struck(60, func() { d.setClock(clock, "23h") })
				for _, h := range d.holders {
					d.logIn(h)
				}
				for _, a := range d.drafts(10) {
					if d.press(d.any(), a) != isOK {
						t.Errorf("tomorrow: %s", strings.Join(a.was, ", "))
					}
				}
				d.setClock(clock, "0s")
			}
			d.setClock(clock, "24h") // what was promised tomorrow is due
			for _, h := range d.holders {
				d.logIn(h)
			}
			d.settle()
			d.compare()
			d.told("%d times back an hour and forward a day; %s", size(1, 3), d.tally())
		})
	}
}

func (d *disaster) setClock(file, off string) {
	d.t.Helper()
	whole := file + ".new" // a reader never sees half
	if err := os.WriteFile(whole, []byte(off), 0o600); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Rename(whole, file); err != nil {
		d.t.Fatal(err)
	}
}

// logIn opens a new session for a holder whose last one is over.
func (d *disaster) logIn(h *holder) {
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
