package web_test

import (
	"net/http"
	"testing"
	"time"

	"elsom/internal/cashin"
	"elsom/web"
	"elsom/web/dev"
)

// newDevelopment returns a house whose pages under /dev call its own server,
// with all its middleware, as those of the program do.
func newDevelopment(t *testing.T) *house {
	t.Helper()
	var h *house
	h = houseWith(t, setting{handlers: func(d *web.Handlers) {
		d.Dev = dev.New(dev.Parts{
			OSMP:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.server.ServeHTTP(w, r) }),
			Agents: []cashin.NewAgent{{Code: "kicb", Name: "KICB", Password: "terminal's word"}}, Now: time.Now,
		})
	}})
	return h
}

// TestTerminalPageReachesOSMP puts money in at /dev/terminal through the whole
// server: its in-process request has no body, and must pass the middleware that
// reads bodies.
func TestTerminalPageReachesOSMP(t *testing.T) {
	t.Parallel()
	h := newDevelopment(t)
	who := h.holder(0)
	b := h.browser().open("/dev/terminal").fill("phone", who.Phone.String()).fill("amount", "250,50").press("Найти кошелёк").answered(http.StatusOK)
	b.press("Внести").answered(http.StatusOK)
	if got := b.data("cashin-result"); got != "0" {
		t.Errorf("the slip says %q: %s", got, b.text())
	}
	h.holds(who, 250_50)
}
