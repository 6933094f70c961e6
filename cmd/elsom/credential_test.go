package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// operator runs commands for a portal in production mode.
type operator struct {
	t    *testing.T
	env  []string
	base string
	db   *database.DB
	log  func() string
}

// eachOperator runs a test on each database. The portal is not started yet.
func eachOperator(t *testing.T, test func(m *operator)) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listen := system.FreeAddress(t)
			m := &operator{t: t, base: "http://" + listen, env: []string{
				system.SecretKey, system.PINPepper, "ELSOM_LISTEN=" + listen, "ELSOM_DATABASE_URL=" + address, "ELSOM_DRAIN=0s",
			}}
			m.run(0, "", "migrate")
			m.db = databasetest.Reopen(t, address)
			// Tests insert rows that are not signed, as those of a release before.
			databasetest.Tamper(t, m.db, "INSERT INTO unsigned_allowed VALUES (1)")
			test(m)
		})
	}
}

func (m *operator) serve() {
	m.t.Helper()
	p := system.Start(m.t, "elsom", m.env, "serve")
	p.WaitHealthy(m.t, m.base)
	m.log = func() string {
		content, err := os.ReadFile(p.Log)
		if err != nil {
			m.t.Fatal(err)
		}
		return string(content)
	}
}

// run runs a command, checks its exit code, and returns its output.
func (m *operator) run(code int, input string, args ...string) string {
	m.t.Helper()
	out := system.RunInput(m.t, m.env, input, args...)
	if out.Code != code {
		m.t.Errorf("elsom %s ended with %d, want %d: %s%s", strings.Join(args, " "), out.Code, code, out.Stdout, out.Stderr)
	}
	return out.Stdout + out.Stderr
}

// wantOutput checks a command's exit code and a part of its output.
func (m *operator) wantOutput(words string, code int, input string, args ...string) {
	m.t.Helper()
	if out := m.run(code, input, args...); !strings.Contains(out, words) {
		m.t.Errorf("elsom %s doesn't print %q: %s", strings.Join(args, " "), words, out)
	}
}

func (m *operator) exec(statement string, values ...any) {
	m.t.Helper()
	if _, err := m.db.Pool().Exec(statement, values...); err != nil {
		m.t.Fatalf("%s: %v", statement, err)
	}
}

// call sends a request as a machine and returns status and body.
func (m *operator) call(code, password, method, path, form string) (int, string) {
	m.t.Helper()
	request, err := http.NewRequest(method, m.base+path, strings.NewReader(form))
	if err != nil {
		m.t.Fatal(err)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request.SetBasicAuth(code, password)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		m.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// eventually waits until a condition holds: other processes see a change within a second.
func (m *operator) eventually(what string, holds func() bool) {
	m.t.Helper()
	for begin := time.Now(); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Since(begin) > 20*time.Second {
			m.t.Fatalf("%s: not within 20 s", what)
		}
	}
}

const callerPassword = "a password of a machine"

// A gateway may call the routes of its scopes only.
func TestGatewayScopes(t *testing.T) {
	eachOperator(t, func(m *operator) {
		routes := map[string][3]string{
			"ussd":     {http.MethodPost, "/ussd", "sessionId=1&serviceCode=*900%23&phoneNumber=%2B996550123456&text="},
			"kannel":   {http.MethodPost, "/ussd/kannel?from=996550123456&id=1&at=1", "*900#"},
			"receipts": {http.MethodGet, "/sms/dlr?type=1&token=none", ""},
		}
		for scope := range routes {
			m.run(0, callerPassword+"\n", "gateway", "add", "for-"+scope, "--scope", scope, "--allow", "127.0.0.1")
		}
		m.run(0, callerPassword+"\n", "gateway", "add", "for-all", "--scope", "ussd,kannel,receipts", "--allow", "any")
		// A gateway that was added by a release without scopes.
		m.exec(`INSERT INTO gateways (code, name, password_hash, allowed, disabled, created_at)
			SELECT 'old', 'Old', password_hash, '', FALSE, created_at FROM gateways WHERE code = 'for-all'`)
		m.serve()
		allowed := func(code, scope string) bool {
			r := routes[scope]
			status, body := m.call(code, callerPassword, r[0], r[1], r[2])
			if status == http.StatusForbidden {
				return false
			}
			if status == http.StatusUnauthorized || status >= http.StatusInternalServerError {
				t.Errorf("%s at %s: %d %s", code, scope, status, body)
			}
			return true
		}
		for scope := range routes {
			for _, code := range []string{"for-ussd", "for-kannel", "for-receipts", "for-all", "old"} {
				want := code == "for-"+scope || code == "for-all" || code == "old"
				if got := allowed(code, scope); got != want {
					t.Errorf("%s at %s: allowed %v, want %v", code, scope, got, want)
				}
			}
			r := routes[scope]
			if status, _ := m.call("for-"+scope, "a wrong password", r[0], r[1], r[2]); status != http.StatusUnauthorized {
				t.Errorf("a wrong password at %s: %d", scope, status)
			}
		}
		log := m.log()
		for _, want := range []string{
			`"msg":"gateway: may call every route","gateway":"old","do":"elsom gateway set old --scope`,
			`"msg":"gateway: may call from any address","gateway":"old","do":"elsom gateway set old --allow`,
		} {
			if !strings.Contains(log, want) {
				t.Errorf("the log lacks %s:\n%s", want, log)
			}
		}
		if n := strings.Count(log, "may call"); n != 2 {
			t.Errorf("%d warnings, want those of old only:\n%s", n, log)
		}
		m.run(0, "", "gateway", "set", "old", "--scope", "receipts", "--staff", "aigul", "--reason", "only receipts")
		m.eventually("old may call receipts only", func() bool {
			return !allowed("old", "ussd") && !allowed("old", "kannel") && allowed("old", "receipts")
		})
	})
}

// A machine is added with the addresses that it may call from, or with an
// explicit any.
func TestAddRequiresAddresses(t *testing.T) {
	eachOperator(t, func(m *operator) {
		for _, add := range [][]string{{"agent", "add", "till", "--ceiling", "500"}, {"gateway", "add", "carrier", "--scope", "ussd"}} {
			m.wantOutput("--allow=any", 80, callerPassword+"\n", add...)
			m.wantOutput("neither an address nor a CIDR", 80, callerPassword+"\n", append(add, "--allow", "any,10.0.0.0/8")...)
			m.wantOutput("no password", 80, "", append(add, "--allow", "any")...)
			m.wantOutput("10.0.0.0/8 192.0.2.7", 0, callerPassword+"\n", append(add, "--allow", "10.1.2.3/8,192.0.2.7")...)
			m.wantOutput("10.0.0.0/8 192.0.2.7", 0, "", add[0], "list")
			m.wantOutput("is changed", 0, "", add[0], "set", add[2], "--allow", "any", "--staff", "aigul", "--reason", "asked")
			m.wantOutput("  any  ", 0, "", add[0], "list")
		}
		if out := m.run(80, "", "agent", "add", "other", "--ceiling", "5", "--allow", "any"); out != "elsom: no password on standard input\n" {
			t.Errorf("without a terminal: %q", out)
		}
		m.wantOutput("--scope", 80, callerPassword+"\n", "gateway", "add", "other", "--allow", "any")
		m.wantOutput("ussd", 80, callerPassword+"\n", "gateway", "add", "other", "--allow", "any", "--scope", "uusd")
		m.exec(`INSERT INTO agents (code, name, password_hash, allowed, ceiling, till_id, disabled, created_at)
			SELECT 'old', 'Old', password_hash, '', ceiling, till_id, FALSE, created_at FROM agents`)
		m.wantOutput("any (not chosen)", 0, "", "agent", "list")
		m.serve()
		if log := m.log(); strings.Count(log, "may call") != 1 || !strings.Contains(log, `"msg":"agent: may call from any address","agent":"old"`) {
			t.Errorf("not the one warning of old:\n%s", log)
		}
	})
}

// All settings of a machine can be changed, and a disabled one can be enabled.
func TestSetAndEnable(t *testing.T) {
	eachOperator(t, func(m *operator) {
		m.run(0, callerPassword+"\n", "agent", "add", "till", "--ceiling", "500", "--allow", "127.0.0.1")
		m.run(0, callerPassword+"\n", "gateway", "add", "carrier", "--scope", "ussd", "--allow", "127.0.0.1")
		m.serve()
		status := func(what, password string) int {
			if what == "agent" {
				status, _ := m.call("till", password, http.MethodGet, "/osmp?command=check&txn_id=1&account=0700123456&sum=1.00", "")
				return status
			}
			form := url.Values{"sessionId": {"1"}, "serviceCode": {"*900#"}, "phoneNumber": {"+996550123456"}, "text": {""}}
			status, _ := m.call("carrier", password, http.MethodPost, "/ussd", form.Encode())
			return status
		}
		const second = "another password"
		for what, code := range map[string]string{"agent": "till", "gateway": "carrier"} {
			wantStatus := func(password string, want int) {
				t.Helper()
				m.eventually(fmt.Sprintf("%s with %q is answered %d", what, password, want), func() bool { return status(what, password) == want })
			}
			wantStatus(callerPassword, http.StatusOK)
			m.wantOutput("is changed", 0, second+"\n", what, "set", code, "--password", "--name", "Второй", "--staff", "aigul", "--reason", "asked")
			wantStatus(callerPassword, http.StatusUnauthorized)
			wantStatus(second, http.StatusOK)
			m.run(0, "", what, "set", code, "--allow", "192.0.2.7", "--staff", "aigul", "--reason", "asked")
			wantStatus(second, http.StatusUnauthorized)
			m.run(0, "", what, "set", code, "--allow", "any", "--staff", "aigul", "--reason", "asked")
			wantStatus(second, http.StatusOK)
			m.wantOutput(code+" is disabled", 0, "", what, "disable", code)
			wantStatus(second, http.StatusUnauthorized)
			m.wantOutput("disabled", 0, "", what, "list")
			m.wantOutput("again", 0, "", what, "enable", code, "--staff", "aigul", "--reason", "asked")
			wantStatus(second, http.StatusOK)
			m.wantOutput("Второй", 0, "", what, "list")

			m.wantOutput("nothing to change", 80, "", what, "set", code, "--staff", "aigul", "--reason", "asked")
			m.wantOutput("no password", 80, "", what, "set", code, "--password", "--staff", "aigul", "--reason", "asked")
			m.wantOutput("the password: 8 to", 1, "short\n", what, "set", code, "--password", "--staff", "aigul", "--reason", "asked")
			m.wantOutput("the name", 1, "", what, "set", code, "--name", strings.Repeat("x", 101), "--staff", "aigul", "--reason", "asked")
			for _, act := range []string{"disable", "enable"} {
				m.wantOutput("there is no "+what+" nobody", 1, "", what, act, "nobody", "--staff", "aigul", "--reason", "asked")
			}
			m.wantOutput("there is no "+what+" nobody", 1, "", what, "set", "nobody", "--name", "x", "--staff", "aigul", "--reason", "asked")
		}
		m.wantOutput("the demo gateway's", 1, "dev-ussd\n", "gateway", "set", "carrier", "--password", "--staff", "aigul", "--reason", "asked")
		m.wantOutput("not an amount", 80, "", "agent", "set", "till", "--ceiling", "1e3")
		m.wantOutput("above zero", 1, "", "agent", "set", "till", "--ceiling", "0")
		m.wantOutput("elsom agent enable till", 1, callerPassword+"\n", "agent", "add", "till", "--ceiling", "5", "--allow", "any")
		m.wantOutput("credited again", 1, callerPassword+"\n", "agent", "add", "till-2", "--name", "ВТОРОЙ", "--ceiling", "5", "--allow", "any")
	})
}
