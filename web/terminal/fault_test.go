package terminal_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"elsom/internal/cashin"
	"elsom/internal/fault"
)

// stub returns the same errors for every call.
type stub struct {
	agent   error
	service error
}

func (f stub) Authenticate(context.Context, string, string, netip.Addr) (cashin.Agent, error) {
	return cashin.Agent{Code: "kicb"}, f.agent
}

func (f stub) Check(context.Context, cashin.Agent, cashin.Request) (cashin.Result, error) {
	return 0, f.service
}

func (f stub) PayIn(context.Context, cashin.Agent, cashin.Request) (cashin.Answer, error) {
	return cashin.Answer{}, f.service
}

// Every kind of error has a result. If the payment may have been made, it is not final.
func TestResultOfEveryErrorKind(t *testing.T) {
	want := map[fault.Kind]string{
		fault.Internal: "1", fault.Invalid: "300", fault.NotFound: "1", fault.Forbidden: "1", fault.Conflict: "300",
		fault.Insufficient: "1", fault.Limit: "1", fault.TooMany: "1", fault.Unavailable: "1", fault.Unknown: "90",
	}
	silent := slog.New(slog.DiscardHandler)
	for _, kind := range fault.Kinds() {
		service := stub{service: fault.New(kind, "test", "").Because(fmt.Errorf("secret words"))}
		for _, command := range []string{"check", "pay"} {
			term := &agentClient{t: t, handler: serve(stub{}, service, silent)}
			w := term.kicb("command=" + command + "&txn_id=1&txn_date=20261122120005&account=0700123456&sum=5")
			if got := result(t, w); got != want[kind] || want[kind] == "" {
				t.Errorf("%s, %s: result %s, want %s", command, kind, got, want[kind])
			}
			if body := w.Body.String(); strings.Contains(body, "secret") || referenceTag.MatchString(body) {
				t.Errorf("%s, %s: %s", command, kind, body)
			}
		}
	}
	term := &agentClient{t: t, handler: serve(stub{agent: fault.New(fault.Unavailable, "test", "")}, stub{}, silent)}
	if got := result(t, term.kicb("command=check&txn_id=1&account=0700123456&sum=5")); got != "1" {
		t.Errorf("agents unavailable: result %s", got)
	}
}

// The log has a line for each request, with its result, and nothing of what the
// terminal sent.
func TestRequestsAreNotLogged(t *testing.T) {
	term := newTerminal(t)
	for i, query := range []string{
		"command=check&txn_id=4242424242&account=0700123456&sum=17.31",
		"command=pay&txn_id=4242424242&account=0700123456&sum=17.31&txn_date=20261122120005",
		"command=pay&txn_id=4242424242&account=0700123456&sum=17.32&txn_date=20261122120005",
		"command=pay&txn_id=4242424243&account=0770123456&sum=17.31&txn_date=20261122120005",
		"command=pay&txn_id=4242424244&account=0700123456&sum=secret&txn_date=20261122120005",
	} {
		term.kicb(query)
		if lines := strings.Count(term.log.String(), "\n"); lines != i+1 {
			t.Errorf("%d lines after %d requests", lines, i+1)
		}
	}
	term.call(call{agent: "kicb", password: "dev-wrong-password", query: "command=check"})
	for _, planted := range []string{"700123456", "770123456", "17.31", "secret", "4242424", "dev-kicb", "dev-wrong-password"} {
		if strings.Contains(term.log.String(), planted) {
			t.Errorf("the log has %q:\n%s", planted, term.log)
		}
	}
}

func TestDisconnectDoesNotCancelPayment(t *testing.T) {
	term := newTerminal(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	const query = "command=pay&txn_id=1&txn_date=20261122120005&account=0700123456&sum=5"
	r := httptest.NewRequest(http.MethodGet, "/osmp?"+query, nil).WithContext(ctx)
	r.SetBasicAuth("kicb", "dev-kicb")
	w := httptest.NewRecorder()
	term.handler.ServeHTTP(w, r)
	if got := result(t, w); got != "0" || term.balance() != 5_00 {
		t.Errorf("result %s, the wallet holds %s", got, term.balance())
	}
}
