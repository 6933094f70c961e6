package chaos_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// A portal in production lives the same small life again and again: cash comes
// in, a transfer goes out, a payment is completed and one refused. The first
// time it dies at its first commit or call, the second time at its second, and
// so on, until it lives to the end. PostgreSQL's commits are seen on the wire
// of the program as it is released; SQLite's by the disaster program.
func TestCrashPoints(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCrashes(t, name, address)
			if !*long {
				for range 2 {
					c.life(1 + c.dice.below(25))
				}
				return
			}
			n := 1
			for c.life(n) {
				n++
			}
			if n < 25 {
				t.Errorf("a life has only %d points", n-1)
			}
			c.told("%d points, died at each: %s; %d SMS taken, %d of them repeats; %s", n-1, c.deaths,
				c.gateway.all(), c.count("SELECT COALESCE(SUM(repeats), 0) FROM messages"), c.tally())
		})
	}
}

type crashes struct {
	*disaster
	points  *points
	gateway *sendsms
	deaths  deaths
	diedOf  string // in the life that is lived now
	moves   []*move
	before  int // SMS that were sent before there was a gateway
}

// deaths counts where a portal died.
type deaths map[string]int

func (d deaths) String() string {
	var words []string
	for what, n := range d {
		words = append(words, fmt.Sprintf("%s %d times", what, n))
	}
	return strings.Join(words, ", ")
}

// move is a transfer between wallets in the client's log.
type move struct {
	draft  string
	amount int64
	told   word
	// counted: the wallets are known to differ by it.
	counted bool
}

const terminalPassword = "a password of the terminals"

func newCrashes(t *testing.T, name, address string) *crashes {
	t.Helper()
	c := &crashes{disaster: newDisaster(t, address, 1, 2, system.SecretKey, system.PINPepper), points: &points{}, deaths: deaths{}}
	c.points.victim = c.Site
	c.quiet() // what was promised before goes to no gateway
	c.Portal.Stop(syscall.SIGTERM)
	where := "ELSOM_DATABASE_URL=" + address
	for _, agent := range []string{"kicb", "mobilnik", "qiwi"} {
		c.command(where, "", "agent", "disable", agent)
	}
	c.command(where, "", "gateway", "disable", "ussd")
	c.command(where, terminalPassword, "agent", "add", "till", "--name", "Till", "--ceiling", "1000000", "--allow", "127.0.0.1")
	c.Agent = [2]string{"till", terminalPassword}

	c.before = c.count("SELECT COUNT(*) FROM promises WHERE lane IN ('sms', 'sms_codes')")
	var sms string
	c.gateway, sms = c.points.sendsms(t)
	c.Env = []string{
		system.SecretKey, system.PINPepper, "ELSOM_LISTEN=" + strings.TrimPrefix(c.BaseURL, "http://"),
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

// command is one of an operator's.
func (c *crashes) command(where, input string, args ...string) {
	c.t.Helper()
	cmd := exec.Command(system.Binary(c.t, "elsom"), args...)
	cmd.Env, cmd.Stdin = system.Environment([]string{where}), strings.NewReader(input+"\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("elsom %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// life tells whether the portal died in it.
func (c *crashes) life(n int) bool {
	c.t.Helper()
	c.diedOf = ""
	if _, err := c.books.Pool().Exec("DELETE FROM attempts"); err != nil { // more visits than a person makes
		c.t.Fatal(err)
	}
	c.points.set(n)
	c.cashIn()
	c.transfer()
	c.pay("normal")
	c.pay("refuse")
	c.quiet()
	c.points.set(0)
	c.compareMoves()
	c.compare()
	if c.t.Failed() {
		c.t.Fatalf("in the life that was to end at its point %d (%s)", n, c.diedOf)
	}
	return c.diedOf != ""
}

// heal puts a dead portal back. The leases that it held run out at once, which
// is what time does. Whoever calls it got no answer, so a living one is wrong.
func (c *crashes) heal(why string) {
	c.t.Helper()
	var of string
	for begin := time.Now(); of == ""; time.Sleep(time.Millisecond) {
		if of = c.points.death(); of == "" && time.Since(begin) > 5*time.Second {
			c.t.Fatalf("the portal lives, but: %s", why)
		}
	}
	c.points.set(0)
	c.diedOf = of
	c.deaths[of]++
	// PostgreSQL may still be at what the dead one asked for last.
	for c.books.Dialect() == database.Postgres && c.count("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '"+behindThePoints+"'") > 0 {
		time.Sleep(time.Millisecond)
	}
	past := database.StoredTime(c.books.Now().Add(-5 * time.Minute))
	for _, statement := range []string{
		"UPDATE promises SET due_at = ?, lease = 0 WHERE state = 'open'",
		"UPDATE biller_slots SET until = ?",
		"UPDATE messages SET asked_at = ? WHERE asked_by <> 0",
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

func (c *crashes) cashIn() {
	c.t.Helper()
	entry := &cash{who: c.holders[0], id: system.NewTxnID(), amount: 5000, told: isUnknown}
	c.log.cash = append(c.log.cash, entry)
	for entry.told != isOK {
		answer, err := c.TerminalRequest("pay", entry.id, entry.who.Phone, "50.00")
		if err == nil && answer.Result == 0 {
			entry.told = isOK
			return
		}
		c.heal(fmt.Sprint("cash: ", answer.Result, err))
	}
}

// transfer sends a som from the first holder to the second.
func (c *crashes) transfer() {
	c.t.Helper()
	from, to := c.holders[0], c.holders[1]
	m := &move{amount: 100}
	for m.draft == "" {
		status, location, _, err := from.post(c.Site, "/transfer", url.Values{"phone": {to.Phone}, "amount": {"1,00"}})
		if m.draft = strings.TrimPrefix(location, "/transfer/"); err != nil || status != http.StatusSeeOther {
			m.draft = ""
			c.heal(fmt.Sprint("transfer: ", status, err))
		}
	}
	c.moves = append(c.moves, m)
	for m.told != isOK {
		status, location, _, err := from.post(c.Site, "/transfer/"+m.draft, nil)
		if err == nil && status == http.StatusSeeOther && location == "/transfer/done/"+m.draft {
			m.told = isOK
			return
		}
		m.told = isUnknown
		c.heal(fmt.Sprint("transfer accepted: ", status, err))
		if c.dice.below(2) == 0 {
			return // and never asks
		}
	}
}

// pay makes a payment that the biller will do so with.
func (c *crashes) pay(mode string) {
	c.t.Helper()
	c.SetStandIn(c.t, "service", "dostek", "command", "pay", "mode", mode, "result", "5")
	var a *act
	for a == nil {
		var err error
		if a, err = c.draft(c.Site, c.holders[0]); err != nil {
			c.heal(err.Error())
		}
	}
	for c.press(c.Site, a) != isOK {
		c.heal(strings.Join(a.was, ", "))
		if c.dice.below(2) == 0 {
			break
		}
	}
	c.quiet()
}

// quiet waits until everything that was promised is kept.
func (c *crashes) quiet() {
	c.t.Helper()
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if c.points.death() != "" {
			c.heal("")
		}
		open := c.count("SELECT COUNT(*) FROM payments WHERE state = 'processing'") +
			c.count("SELECT COUNT(*) FROM promises WHERE state = 'open'")
		if open == 0 && c.points.death() == "" {
			return
		}
		if time.Since(begin) > time.Minute {
			c.t.Fatalf("%d payments and promises stay open", open)
		}
	}
}

// compareMoves does to transfers and SMS what compare does to payments.
func (c *crashes) compareMoves() {
	c.t.Helper()
	for _, m := range c.moves {
		n := c.count("SELECT COUNT(*) FROM transfers WHERE request_key = 'transfer:" + m.draft + "'")
		if n > 1 || m.told == isOK && n != 1 {
			c.t.Errorf("the transfer %s was done %d times", m.draft, n)
		}
		if n == 1 && !m.counted {
			m.counted = true
			c.moved[c.holders[0]] -= m.amount
			c.moved[c.holders[1]] += m.amount
		}
	}
	// A message whose answer was lost may be sent again, and each such is counted;
	// notices beyond the number's daily limit fail without being sent.
	due := c.count("SELECT COUNT(*) FROM promises WHERE lane IN ('sms', 'sms_codes')") - c.before -
		c.count("SELECT COUNT(*) FROM messages WHERE state = 'failed'")
	repeats := c.count("SELECT COALESCE(SUM(repeats), 0) FROM messages")
	if took := c.gateway.all(); took < due || took > due+repeats {
		c.t.Errorf("the gateway took %d SMS, %d were due and %d repeated", took, due, repeats)
	}
}
