package web_test

import (
	"net/http"
	"testing"
	"time"

	"elsom/internal/cashin"
	"elsom/web"
	"elsom/web/dev"
)

// newDevelopment returns a testApp whose /dev pages call its own server with all
// middleware, as in the program.
func newDevelopment(t *testing.T) *testApp {
	t.Helper()
	var app *testApp
	app = newAppWith(t, options{handlers: func(d *web.Handlers) {
		d.Dev = dev.New(dev.Parts{
			Server: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { app.server.ServeHTTP(w, r) }),
			Agents: []cashin.NewAgent{{Code: "kicb", Name: "KICB", Password: "terminal's word"}}, Now: time.Now,
		})
	}})
	return app
}

// TestTerminalPageReachesOSMP deposits money at /dev/terminal through the whole
// server. Its in-process request has no body and must pass the middleware that reads
// bodies.
func TestTerminalPageReachesOSMP(t *testing.T) {
	t.Parallel()
	app := newDevelopment(t)
	holder := app.newCustomer(0)
	b := app.browser().open("/dev/terminal").fill("phone", holder.Phone.String()).fill("amount", "250,50").press("Найти кошелёк").wantStatus(http.StatusOK)
	b.press("Внести").wantStatus(http.StatusOK)
	if got := b.data("cashin-result"); got != "0" {
		t.Errorf("the slip says %q: %s", got, b.text())
	}
	app.wantBalance(holder, 250_50)
}
