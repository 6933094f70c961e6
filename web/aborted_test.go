package web_test

import (
	"context"
	"net/http"
	"testing"
)

// A request whose browser disconnects is logged as aborted, not as an error.
func TestAbortedRequestIsNotAnError(t *testing.T) {
	t.Parallel()
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			app := newAppWith(t, options{newDB: newDB})
			b := app.browserOf(app.newCustomer(100_00))
			gone, leave := context.WithCancel(t.Context())
			leave()
			b.ctx = gone
			answer := b.ask(http.MethodGet, "/history", nil)
			id := answer.Header().Get("X-Request-Id")
			if answer.Code < http.StatusInternalServerError || id == "" {
				t.Fatalf("answered %d", answer.Code)
			}
			if lines := logged.lines(id, `"level":"ERROR"`); len(lines) > 0 {
				t.Errorf("logged as an error: %s", lines)
			}
			if lines := logged.lines(id, `"level":"INFO"`, "web: request aborted"); len(lines) != 1 {
				t.Errorf("%d lines: %s", len(lines), lines)
			}
		})
	}
}
