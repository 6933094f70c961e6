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

// machines is a portal in production mode, and its operator.
type machines struct {
	t    *testing.T
	env  []string
	base string
	db   *database.DB
	log  func() string
}

// eachMachines runs a test on each database. The portal is not started yet.
func eachMachines(t *testing.T, test func(m *machines)) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listen := system.FreeAddress(t)
			m := &machines{t: t, base: "http://" + listen, env: []string{
				system.SecretKey, system.PINPepper, "ELSOM_LISTEN=" + listen, "ELSOM_DATABASE_URL=" + address, "ELSOM_DRAIN=0s",
			}}
			m.run(0, "", "migrate")
			m.db = databasetest.Reopen(t, address)
			test(m)
		})
	}
}

func (m *machines) serve() {
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
func (m *machines) run(code int, input string, args ...string) string {
	m.t.Helper()
	out := system.RunInput(m.t, m.env, input, args...)
	if out.Code != code {
		m.t.Errorf("elsom %s ended with %d, want %d: %s%s", strings.Join(args, " "), out.Code, code, out.Stdout, out.Stderr)
	}
	return out.Stdout + out.Stderr
}

// says checks a command's exit code and a part of its output.
func (m *machines) says(words string, code int, input string, args ...string) {
	m.t.Helper()
	if out := m.run(code, input, args...); !strings.Contains(out, words) {
		m.t.Errorf("elsom %s doesn't print %q: %s", strings.Join(args, " "), words, out)
	}
}

func (m *machines) exec(statement string, values ...any) {
	m.t.Helper()
	if _, err := m.db.Pool().Exec(statement, values...); err != nil {
		m.t.Fatalf("%s: %v", statement, err)
	}
}

// call sends a request as a machine and returns status and body.
func (m *machines) call(code, password, method, path, form string) (int, string) {
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

// soon waits until a condition holds: other processes see a change within a second.
func (m *machines) soon(what string, holds func() bool) {
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
	eachMachines(t, func(m *machines) {
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
		opens := func(code, scope string) bool {
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
				if got := opens(code, scope); got != want {
					t.Errorf("%s at %s: open %v, want %v", code, scope, got, want)
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
		m.run(0, "", "gateway", "set", "old", "--scope", "receipts")
		m.soon("old opens receipts only", func() bool {
			return !opens("old", "ussd") && !opens("old", "kannel") && opens("old", "receipts")
		})
	})
}

// A machine is added with the addresses that it may call from, or with an
// explicit any.
func TestAddRequiresAddresses(t *testing.T) {
	eachMachines(t, func(m *machines) {
		for _, add := range [][]string{{"agent", "add", "till", "--ceiling", "500"}, {"gateway", "add", "carrier", "--scope", "ussd"}} {
			m.says("--allow=any", 80, callerPassword+"\n", add...)
			m.says("neither an address nor a CIDR", 80, callerPassword+"\n", append(add, "--allow", "any,10.0.0.0/8")...)
			m.says("no password", 80, "", append(add, "--allow", "any")...)
			m.says("10.0.0.0/8 192.0.2.7", 0, callerPassword+"\n", append(add, "--allow", "10.1.2.3/8,192.0.2.7")...)
			m.says("10.0.0.0/8 192.0.2.7", 0, "", add[0], "list")
			m.says("is changed", 0, "", add[0], "set", add[2], "--allow", "any")
			m.says("  any  ", 0, "", add[0], "list")
		}
		if out := m.run(80, "", "agent", "add", "other", "--ceiling", "5", "--allow", "any"); out != "elsom: no password on standard input\n" {
			t.Errorf("without a terminal: %q", out)
		}
		m.says("--scope", 80, callerPassword+"\n", "gateway", "add", "other", "--allow", "any")
		m.says("ussd", 80, callerPassword+"\n", "gateway", "add", "other", "--allow", "any", "--scope", "uusd")
		m.exec(`INSERT INTO agents (code, name, password_hash, allowed, ceiling, till_id, disabled, created_at)
			SELECT 'old', 'Old', password_hash, '', ceiling, till_id, FALSE, created_at FROM agents`)
		m.says("any (not chosen)", 0, "", "agent", "list")
		m.serve()
		if log := m.log(); strings.Count(log, "may call") != 1 || !strings.Contains(log, `"msg":"agent: may call from any address","agent":"old"`) {
			t.Errorf("not the one warning of old:\n%s", log)
		}
	})
}

// All settings of a machine can be changed, and a disabled one can be enabled.
func TestSetAndEnable(t *testing.T) {
	eachMachines(t, func(m *machines) {
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
			comes := func(password string, want int) {
				t.Helper()
				m.soon(fmt.Sprintf("%s with %q is answered %d", what, password, want), func() bool { return status(what, password) == want })
			}
			comes(callerPassword, http.StatusOK)
			m.says("is changed", 0, second+"\n", what, "set", code, "--password", "--name", "Второй")
			comes(callerPassword, http.StatusUnauthorized)
			comes(second, http.StatusOK)
			m.run(0, "", what, "set", code, "--allow", "192.0.2.7")
			comes(second, http.StatusUnauthorized)
			m.run(0, "", what, "set", code, "--allow", "any")
			comes(second, http.StatusOK)
			m.says(code+" is disabled", 0, "", what, "disable", code)
			comes(second, http.StatusUnauthorized)
			m.says("disabled", 0, "", what, "list")
			m.says("again", 0, "", what, "enable", code)
			comes(second, http.StatusOK)
			m.says("Второй", 0, "", what, "list")

			m.says("nothing to change", 80, "", what, "set", code)
			m.says("no password", 80, "", what, "set", code, "--password")
			m.says("the password: 8 to", 1, "short\n", what, "set", code, "--password")
			m.says("the name", 1, "", what, "set", code, "--name", strings.Repeat("x", 101))
			for _, act := range []string{"disable", "enable"} {
				m.says("there is no "+what+" nobody", 1, "", what, act, "nobody")
			}
			m.says("there is no "+what+" nobody", 1, "", what, "set", "nobody", "--name", "x")
		}
		m.says("the demo gateway's", 1, "dev-ussd\n", "gateway", "set", "carrier", "--password")
		m.says("not an amount", 80, "", "agent", "set", "till", "--ceiling", "1e3")
		m.says("above zero", 1, "", "agent", "set", "till", "--ceiling", "0")
		m.says("elsom agent enable till", 1, callerPassword+"\n", "agent", "add", "till", "--ceiling", "5", "--allow", "any")
		m.says("credited again", 1, callerPassword+"\n", "agent", "add", "till-2", "--name", "ВТОРОЙ", "--ceiling", "5", "--allow", "any")
	})
}
