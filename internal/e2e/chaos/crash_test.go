package chaos_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
	"elsom/internal/testkit/system"
)

// The portal is killed six times during payments and cash-ins. Afterwards every
// payment has ended once, and the balances of wallets and companies add up to the
// cash that was put in.
const (
	holders  = 5
	perKill  = 6  // payments of each customer before each kill
	inFlight = 20 // at least, at each kill
)

// kills has the modes of the stand-in before each kill; several alternate. With
// ends, the portal is killed when that many more payments have ended, and with refunds when
// that many were refunded at least: during settling and refunding.
var kills = []struct {
	modes         []string
	ends, refunds int64
}{
	// It books at once and answers too late: accepted payments stay in flight.
	{[]string{"mode=slow&seconds=30"}, 0, 0},
	{[]string{"mode=slow&seconds=30"}, 0, 0},
	// It answers at once, or after a second, at the deadline of the call.
	{[]string{"mode=normal"}, 1, 0},
	{[]string{"mode=normal", "mode=slow&seconds=1"}, 4, 0},
	// It refuses and fails, before and after booking.
	{[]string{"mode=refuse&result=5", "mode=error-before"}, 2, 1},
	{[]string{"mode=refuse&result=5", "mode=error-after", "mode=drop-before", "mode=normal"}, 5, 1},
}

type crashTest struct {
	*system.Site
	books       *database.DB // reads the portal's database
	people      []system.Person
	clients     []*system.Client
	cash        atomic.Int64
	submissions []*system.Submission
}

func TestKilledPaymentsEndOnce(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &crashTest{Site: system.NewSite(t, address, system.WithoutRateLimits)}
			c.ShortenBillerCalls(t, "1s")
			c.books = databasetest.Reopen(t, address)
			for range holders {
				c.join(t)
			}
			rounds := make([][]*system.Submission, len(kills))
			for kill := range kills {
				for i := range holders * perKill {
					rounds[kill] = append(rounds[kill], c.draft(t, i%holders))
				}
			}
			head := saveCheckpoint(t, c.Site)
			for kill, round := range rounds {
				c.killUnderLoad(t, kill, round)
			}
			c.SetStandIn(t, "service", "all", "command", "all", "mode", "normal")
			c.waitEnded(t)
			c.checkBalances(t)
			c.checkSMS(t)
			checkLog(t, c.Site, c.books, head)
			c.Audit(t, "--since=1h")
		})
	}
}

// join registers a customer with money.
func (c *crashTest) join(t *testing.T) {
	t.Helper()
	p := system.NewPerson()
	r := system.NewClient(t, c.Site)
	system.SignUp(t, c.Site, r, system.WordsOf[i18n.RU], p)
	c.CashIn(t, p.Phone, "5000.00")
	c.cash.Add(500000)
	c.people, c.clients = append(c.people, p), append(c.clients, r)
}

// draft opens the check page of a payment in another tab of a customer's browser.
func (c *crashTest) draft(t *testing.T, index int) *system.Submission {
	t.Helper()
	o := &system.Submission{INN: system.NewPerson().INN, Client: system.NewClient(t, c.Site)}
	o.Amount = int64(1000 + 7*len(c.submissions))
	o.Client.HTTP = &http.Client{Jar: c.clients[index].HTTP.Jar, Timeout: 30 * time.Second}
	o.Client.Open("/services")
	o.Client.Press("Другие")
	o.Client.Press("DosTek group")
	o.Client.Fill("account", o.INN)
	o.Client.Fill("amount", fmt.Sprintf("%d,%02d", o.Amount/100, o.Amount%100))
	o.Client.Press("Далее")
	button := o.Client.Control("Оплатить")
	if button.Length() == 0 {
		t.Fatalf("no «Оплатить»:\n%s", o.Client.Text())
	}
	o.Action, o.Values = o.Client.Submission(button)
	c.submissions = append(c.submissions, o)
	return o
}

// killUnderLoad sends many payments and cash-ins concurrently and kills the portal
// meanwhile, later with each kill.
func (c *crashTest) killUnderLoad(t *testing.T, kill int, round []*system.Submission) {
	t.Helper()
	stop := c.cycleStandIn(t, kills[kill].modes)
	defer stop()
	_, ended := c.countPayments(t)
	accepted := make(chan bool, len(round))
	var all sync.WaitGroup
	for _, o := range round {
		all.Go(func() { accepted <- o.Accepted() })
	}
	for i := range 5 {
		all.Go(func() { c.cashIn(t, kill, i) })
	}
	answers := 0
	for n := 0; answers < inFlight && n < len(round); n++ {
		if <-accepted {
			answers++
		}
	}
	if answers < inFlight {
		t.Fatalf("kill %d: only %d payments were accepted", kill, answers)
	}
	c.waitForEnds(t, ended+kills[kill].ends, kills[kill].refunds)
	if err := c.Portal.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.Portal.Done
	if processing, ended := c.countPayments(t); processing < inFlight {
		t.Fatalf("kill %d: only %d payments were in flight, %d had ended", kill, processing, ended)
	}
	c.Start(t)
	all.Wait()
	// All are sent again: those already answered get the same receipt.
	system.Each(round, func(o *system.Submission) {
		if err := o.Press(); err != nil {
			t.Errorf("kill %d: %v", kill, err)
		}
	})
}

// cycleStandIn alternates the modes of the stand-in until stop is called.
func (c *crashTest) cycleStandIn(t *testing.T, modes []string) (stop func()) {
	t.Helper()
	setMode := func(mode string) error {
		answer, err := http.Post(c.StandInURL+"/switches", "application/x-www-form-urlencoded",
			strings.NewReader("service=dostek&command=pay&"+mode))
		if err == nil {
			err = answer.Body.Close()
		}
		return err
	}
	if err := setMode(modes[0]); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	var cycling sync.WaitGroup
	cycling.Go(func() {
		for i := 1; len(modes) > 1; i++ {
			select {
			case <-over:
				return
			case <-time.After(10 * time.Millisecond):
			}
			if err := setMode(modes[i%len(modes)]); err != nil {
				t.Error(err)
			}
		}
	})
	stop = sync.OnceFunc(func() { close(over); cycling.Wait() })
	t.Cleanup(stop)
	return stop
}

// countPayments counts payments in the database.
func (c *crashTest) countPayments(t *testing.T) (processing, ended int64) {
	t.Helper()
	row := c.books.Pool().QueryRow("SELECT COUNT(CASE WHEN state = 'processing' THEN 1 END), COUNT(CASE WHEN state <> 'processing' THEN 1 END) FROM payments")
	if err := row.Scan(&processing, &ended); err != nil {
		t.Fatal(err)
	}
	return processing, ended
}

// waitForEnds waits until that many payments have ended, and so many of them were
// refunded. After a kill the leases of the killed process have to expire first.
func (c *crashTest) waitForEnds(t *testing.T, wanted, wantedRefunds int64) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		processing, ended := c.countPayments(t)
		var refunded int64
		if err := c.books.Pool().QueryRow("SELECT COUNT(*) FROM payments WHERE state = 'refunded'").Scan(&refunded); err != nil {
			t.Fatal(err)
		}
		if ended >= wanted && refunded >= wantedRefunds {
			return
		}
		if time.Since(begin) > time.Minute {
			t.Fatalf("%d payments have ended, %d were refunded, %d are processing; want %d and %d", ended, refunded, processing, wanted, wantedRefunds)
		}
	}
}

// cashIn puts 10 som into a wallet. The terminal repeats until it is answered.
func (c *crashTest) cashIn(t *testing.T, kill, i int) {
	id := system.NewTxnID()
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(100 * time.Millisecond) {
		out, err := c.TerminalRequest("pay", id, c.people[i%holders].Phone, "10.00")
		if err == nil && out.Result == 0 {
			c.cash.Add(1000)
			return
		}
	}
	t.Errorf("the terminal got no final answer about %s", id)
}

// waitEnded waits until every payment has ended.
func (c *crashTest) waitEnded(t *testing.T) {
	t.Helper()
	open := c.submissions
	for begin := time.Now(); len(open) > 0; time.Sleep(500 * time.Millisecond) {
		if time.Since(begin) > 4*time.Minute {
			t.Fatalf("%d of %d payments are still processing", len(open), len(c.submissions))
		}
		system.Each(open, func(o *system.Submission) {
			if err := o.Client.Request(http.MethodGet, o.Client.URL.String(), nil); err == nil {
				o.Status = o.Client.Document.Find("[data-payment-status]").AttrOr("data-payment-status", "")
			}
		})
		open = slices.DeleteFunc(slices.Clone(open), func(o *system.Submission) bool { return o.Status == "completed" || o.Status == "refunded" })
	}
}

// checkBalances compares the balances of wallets and companies with the cash that
// was put in.
func (c *crashTest) checkBalances(t *testing.T) {
	t.Helper()
	var wallets, companies int64
	codes, ends := map[string]bool{}, map[string]int{}
	for _, o := range c.submissions {
		got := c.CompanyBalance(t, o.INN)
		companies += got
		want := map[string]int64{"completed": o.Amount, "refunded": 0}[o.Status]
		if got != want {
			t.Errorf("a payment of %d is %s, the company has %d", o.Amount, o.Status, got)
		}
		ends[o.Status]++
		code := o.Client.Attribute("data-payment-code")
		if codes[code] {
			t.Errorf("two payments have the code %s", code)
		}
		codes[code] = true
	}
	if ends["completed"] == 0 || ends["refunded"] == 0 {
		t.Errorf("want completed and refunded payments: %v", ends)
	}
	for _, r := range c.clients {
		r.Open("/cabinet")
		balance, err := strconv.ParseInt(r.Attribute("data-balance"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		wallets += balance
	}
	if wallets+companies != c.cash.Load() {
		t.Errorf("wallets have %d, companies %d, together %d; the cash put in was %d",
			wallets, companies, wallets+companies, c.cash.Load())
	}
}

// checkSMS checks that one SMS is queued about each ended payment.
func (c *crashTest) checkSMS(t *testing.T) {
	t.Helper()
	count := func(query string) (n int) {
		if err := c.books.Pool().QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const open = "SELECT (SELECT COUNT(*) FROM promises WHERE state = 'open') + (SELECT COUNT(*) FROM messages WHERE state = 'queued')"
	const ends = "FROM messages WHERE key LIKE 'payment:%'"
	for begin := time.Now(); count(open) > 0; time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatalf("%d messages stay open", count(open))
		}
	}
	if n := count("SELECT COUNT(*) " + ends); n != len(c.submissions) {
		t.Errorf("%d SMS about %d payments", n, len(c.submissions))
	}
	if n := count("SELECT COUNT(*) " + ends + " AND state <> 'sent' AND state <> 'delivered'"); n > 0 {
		t.Errorf("%d SMS have failed", n)
	}
}
