package chaos_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// A portal in production makes the same operations in each run: a cash-in, a
// transfer, a payment that is completed and one that is refused. In the first run
// it is killed at its first commit or call, in the second at its second, and so on
// until a run gets to its end. Commits to PostgreSQL are seen by a proxy of the
// released program; those to SQLite are reported by ChaosBinary.
func TestCrashPoints(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCrashPointTest(t, name, address)
			if !*full {
				for range 2 {
					c.run(1 + c.random.intN(25))
				}
				return
			}
			n := 1
			for c.run(n) {
				n++
			}
			if n < 25 {
				t.Errorf("a run has only %d kill points", n-1)
			}
			c.report("%d points, died at each: %s; %d SMS taken, %d of them repeats; %s", n-1, c.kills,
				c.gateway.all(), c.count("SELECT COALESCE(SUM(repeats), 0) FROM messages"), c.summary())
		})
	}
}

type crashPointTest struct {
	*scenario
	points    *killPoints
	gateway   *sendsms
	kills     killCounts
	killedAt  string // in this run
	transfers []*walletTransfer
	before    int // SMS that were sent in development mode
}

// killCounts counts the kills by kill point.
type killCounts map[string]int

func (d killCounts) String() string {
	var words []string
	for what, n := range d {
		words = append(words, fmt.Sprintf("%s %d times", what, n))
	}
	return strings.Join(words, ", ")
}

// walletTransfer is a transfer between wallets in the clients' log.
type walletTransfer struct {
	draft   string
	amount  int64
	outcome outcome
	// counted is set once the transfer is included in moved.
	counted bool
}

const terminalPassword = "a password of the terminals"

func newCrashPointTest(t *testing.T, name, address string) *crashPointTest {
	t.Helper()
	c := &crashPointTest{scenario: newScenario(t, address, 1, 2, system.SecretKey, system.PINPepper), points: &killPoints{}, kills: killCounts{}}
	c.points.victim = c.Site
	c.waitIdle() // messages queued before don't go to the gateway
	c.Portal.Stop(syscall.SIGTERM)
	where := "ELSOM_DATABASE_URL=" + address
	for _, agent := range []string{"kicb", "mobilnik", "qiwi"} {
		c.command(where, "", "agent", "disable", agent)
	}
	c.command(where, "", "gateway", "disable", "ussd")
	c.command(where, terminalPassword, "agent", "add", "till", "--name", "Till", "--ceiling", "1000000", "--allow", "127.0.0.1")
	c.Agent = [2]string{"till", terminalPassword}

	c.before = c.count("SELECT COUNT(*) FROM messages")
	var sms string
	c.gateway, sms = c.points.sendsms(t)
	c.Env = []string{
		system.SecretKey, system.PINPepper, c.checkpointKey, "ELSOM_CHECKPOINT_FILE=" + filepath.Join(t.TempDir(), "checkpoint"),
		"ELSOM_LISTEN=" + strings.TrimPrefix(c.BaseURL, "http://"),
		"ELSOM_DOSTEK_URL=" + c.points.calls(t, c.StandInURL) + "/pay", "ELSOM_SMS_URL=" + sms,
	}
	if name == "postgres" {
		c.Env = append(c.Env, "ELSOM_DATABASE_URL="+c.points.postgresCommits(t, address))
	} else {
		c.Env = append(c.Env, where, "CHAOS_COMMITS="+c.points.sqliteCommits(t))
		c.Binary = system.ChaosBinary
	}
	c.Site.Start(t)
	return c
}

// command runs an operator's command.
func (c *crashPointTest) command(where, input string, args ...string) {
	c.t.Helper()
	cmd := exec.Command(system.Binary(c.t, "elsom"), args...)
	cmd.Env, cmd.Stdin = system.Environment([]string{where}), strings.NewReader(input+"\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("elsom %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// run makes the operations once and reports whether the portal was killed.
func (c *crashPointTest) run(n int) bool {
	c.t.Helper()
	c.killedAt = ""
	if _, err := c.books.Pool().Exec("DELETE FROM attempts"); err != nil { // rate limits
		c.t.Fatal(err)
	}
	c.points.set(n)
	c.cashIn()
	c.transfer()
	c.pay("normal")
	c.pay("refuse")
	c.waitIdle()
	c.points.set(0)
	c.compareTransfers()
	c.compareBooks()
	if c.t.Failed() {
		c.t.Fatalf("in the run with the kill point %d (%s)", n, c.killedAt)
	}
	return c.killedAt != ""
}

// restart starts the killed portal again and lets its leases expire.
// The caller got no answer: it is an error if the portal was not killed.
func (c *crashPointTest) restart(why string) {
	c.t.Helper()
	var of string
	for begin := time.Now(); of == ""; time.Sleep(time.Millisecond) {
		if of = c.points.killedAt(); of == "" && time.Since(begin) > 5*time.Second {
			c.t.Fatalf("the portal was not killed, but: %s", why)
		}
	}
	c.points.set(0)
	c.killedAt = of
	c.kills[of]++
	// PostgreSQL may still run the last statement of the killed process.
	for c.books.Dialect() == database.Postgres && c.count("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '"+proxiedName+"'") > 0 {
		time.Sleep(time.Millisecond)
	}
	past := database.StoredTime(c.books.Now().Add(-5 * time.Minute))
	for _, statement := range []string{
		"UPDATE promises SET due_at = ?, lease = 0 WHERE state = 'open'",
		"UPDATE payments SET due_at = ?, lease = 0 WHERE state = 'processing'",
		"UPDATE biller_slots SET until = ?",
		"UPDATE messages SET asked_at = ? WHERE asked_by <> 0",
		"UPDATE messages SET due_at = ? WHERE state = 'queued'",
	} {
		err := c.books.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error {
			return tx.Gorm().Exec(statement, past).Error
		})
		if err != nil {
			c.t.Fatal(err)
		}
	}
	c.Site.Start(c.t)
}

func (c *crashPointTest) cashIn() {
	c.t.Helper()
	entry := &cash{customer: c.customers[0], id: system.NewTxnID(), amount: 5000, outcome: gotUnknown}
	c.log.cash = append(c.log.cash, entry)
	for entry.outcome != gotAccepted {
		answer, err := c.TerminalRequest("pay", entry.id, entry.customer.Phone, "50.00")
		if err == nil && answer.Result == 0 {
			entry.outcome = gotAccepted
			return
		}
		c.restart(fmt.Sprint("cash: ", answer.Result, err))
	}
}

// transfer sends 1 som from the first customer to the second.
func (c *crashPointTest) transfer() {
	c.t.Helper()
	from, to := c.customers[0], c.customers[1]
	m := &walletTransfer{amount: 100}
	for m.draft == "" {
		status, location, _, err := from.post(c.Site, "/transfer", url.Values{"phone": {to.Phone}, "amount": {"1,00"}})
		if m.draft = strings.TrimPrefix(location, "/transfer/"); err != nil || status != http.StatusSeeOther {
			m.draft = ""
			c.restart(fmt.Sprint("transfer: ", status, err))
		}
	}
	c.transfers = append(c.transfers, m)
	for m.outcome != gotAccepted {
		status, location, _, err := from.post(c.Site, "/transfer/"+m.draft, nil)
		if err == nil && status == http.StatusSeeOther && location == "/transfer/done/"+m.draft {
			m.outcome = gotAccepted
			return
		}
		m.outcome = gotUnknown
		c.restart(fmt.Sprint("transfer accepted: ", status, err))
		if c.random.intN(2) == 0 {
			return // without asking again
		}
	}
}

// pay makes a payment that the stand-in answers by mode.
func (c *crashPointTest) pay(mode string) {
	c.t.Helper()
	c.SetStandIn(c.t, "service", "dostek", "command", "pay", "mode", mode, "result", "5")
	var a *order
	for a == nil {
		var err error
		if a, err = c.draft(c.Site, c.customers[0]); err != nil {
			c.restart(err.Error())
		}
	}
	for c.press(c.Site, a) != gotAccepted {
		c.restart(strings.Join(a.answers, ", "))
		if c.random.intN(2) == 0 {
			break
		}
	}
	c.waitIdle()
}

// waitIdle waits until no payment and no message is open.
func (c *crashPointTest) waitIdle() {
	c.t.Helper()
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if c.points.killedAt() != "" {
			c.restart("")
		}
		open := c.count("SELECT COUNT(*) FROM payments WHERE state = 'processing'") +
			c.count("SELECT COUNT(*) FROM promises WHERE state = 'open'") + c.count("SELECT COUNT(*) FROM messages WHERE state = 'queued'")
		if open == 0 && c.points.killedAt() == "" {
			return
		}
		if time.Since(begin) > time.Minute {
			c.t.Fatalf("%d payments and messages stay open", open)
		}
	}
}

// compareTransfers compares transfers and SMS, as compareBooks does payments.
func (c *crashPointTest) compareTransfers() {
	c.t.Helper()
	for _, m := range c.transfers {
		n := c.count("SELECT COUNT(*) FROM transfers WHERE request_key = 'transfer:" + m.draft + "'")
		if n > 1 || m.outcome == gotAccepted && n != 1 {
			c.t.Errorf("the transfer %s was made %d times", m.draft, n)
		}
		if n == 1 && !m.counted {
			m.counted = true
			c.moved[c.customers[0]] -= m.amount
			c.moved[c.customers[1]] += m.amount
		}
	}
	// A message whose answer was lost may be sent again, which is counted. Notices
	// above the number's daily limit fail without being sent.
	due := c.count("SELECT COUNT(*) FROM messages") - c.before -
		c.count("SELECT COUNT(*) FROM messages WHERE state = 'failed'")
	repeats := c.count("SELECT COALESCE(SUM(repeats), 0) FROM messages")
	if took := c.gateway.all(); took < due || took > due+repeats {
		c.t.Errorf("the gateway took %d SMS, %d were due and %d repeated", took, due, repeats)
	}
}
