package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"elsom/internal/cashin"
	"elsom/internal/credential"
	"elsom/internal/notify/sms"
	"elsom/internal/ratelimit"
	"elsom/internal/testkit/require"
	"elsom/web"
	receipts "elsom/web/smsreceipt"
	"elsom/web/terminal"
)

// After wrong passwords have used up the limit of a machine's code and the server
// has restarted, the right password is still accepted.
func TestMachinesAuthenticateAfterRestart(t *testing.T) {
	t.Parallel()
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			ctx, secret := context.Background(), []byte("a secret of thirty-two bytes or more")
			app := newAppWith(t, options{limits: true, newDB: newDB})
			attempts, err := ratelimit.New(app.DB, ratelimit.Options{Secret: secret})
			require.NoError(t, err)
			start := func() (*credential.Gateways, http.Handler) {
				agents, err := cashin.NewAgents(app.DB, attempts, secret)
				require.NoError(t, err)
				gateways, err := credential.NewGateways(app.DB, attempts, secret)
				require.NoError(t, err)
				handlers := app.handlers
				handlers.Terminal = terminal.New(agents, app.CashIn, slog.Default())
				handlers.Receipts = receipts.New(gateways, sms.NewMessages(app.DB, app.Sealer))
				return gateways, web.New(handlers)
			}
			ask := func(server http.Handler, path, code, password string) int {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.RemoteAddr = "198.51.100.7:4000"
				r.SetBasicAuth(code, password)
				w := httptest.NewRecorder()
				server.ServeHTTP(w, r)
				return w.Code
			}
			gateways, _ := start()
			require.NoError(t, gateways.Add(ctx, credential.NewGateway{
				Code: "kannel", Name: "Kannel", Password: "the gateway's word", Allowed: credential.Anywhere(), Scopes: credential.Scopes(),
			}))
			for range 300 {
				require.NoError(t, attempts.Take(ctx, ratelimit.Rule{Name: "cashin.agent anywhere", Limit: 300, Window: time.Hour}, "kicb"))
				require.NoError(t, attempts.Take(ctx, ratelimit.Rule{Name: "gateway anywhere", Limit: 300, Window: time.Hour}, "kannel"))
			}
			_, server := start()
			terminal := "/osmp?command=check&txn_id=1&account=0700000000&sum=1"
			for range 2 {
				if status := ask(server, terminal, "kicb", "a guess"); status != http.StatusTooManyRequests {
					t.Errorf("a guess at an agent's password: %d", status)
				}
				if status := ask(server, terminal, "kicb", "terminal's word"); status != http.StatusOK {
					t.Errorf("the agent at work: %d", status)
				}
				if status := ask(server, "/sms/dlr?type=1&token=x", "kannel", "a guess"); status != http.StatusTooManyRequests {
					t.Errorf("a guess at a gateway's password: %d", status)
				}
				if status := ask(server, "/sms/dlr?type=1&token=x", "kannel", "the gateway's word"); status != http.StatusNotFound { // admitted: it has no such message
					t.Errorf("the gateway at work: %d", status)
				}
			}
			if lines := logged.lines("terminal's word"); len(lines) > 0 || strings.Contains(strings.Join(logged.lines("kannel"), ""), "gateway's word") {
				t.Error("a password is logged")
			}
		})
	}
}
