package main_test

import (
	"fmt"
	"net/http"
	"net/url"
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
)

// The crash test: the portal is killed six times while payments and cash are
// under way. Afterwards every payment has ended once, and what the wallets and
// the companies have is exactly the cash that was put in.
const (
	holders  = 5
	perKill  = 6  // payments of each holder before each kill
	inFlight = 20 // at least, at each kill
)

// kills says how the stand-in behaves before each kill: by turns, if by several
// orders. With ends, the portal is killed when that many more payments have
// ended: amid settling and refunding.
var kills = []struct {
	orders []string
	ends   int64
}{
	// It books at once and answers too late: what is accepted stays in flight.
	{[]string{"mode=slow&seconds=30"}, 0},
	{[]string{"mode=slow&seconds=30"}, 0},
	// It answers at once, or after a second: just when nobody waits any more.
	{[]string{"mode=normal"}, 1},
	{[]string{"mode=normal", "mode=slow&seconds=1"}, 4},
	// It refuses and fails, before and after booking.
	{[]string{"mode=refuse&result=5", "mode=error-before"}, 2},
	{[]string{"mode=refuse&result=5", "mode=error-after", "mode=drop-before", "mode=normal"}, 5},
}

// order is a payment that somebody is going to press "Оплатить" for.
type order struct {
	inn    string
	amount int64 // tyiyn
	tab    *reader
	action string // what pressing sends, and where to
	values url.Values
	status string // as its receipt said at last
}

type crash struct {
	*site
	books   *database.DB // the portal's own database, to look into
	persons []person
	readers []*reader
	cash    atomic.Int64
	orders  []*order
}

func TestKilledAtAnyMomentEveryPaymentEndsOnce(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &crash{site: newSite(t, address, withoutRateLimits)}
			c.hurry(t, "1s")
			c.books = databasetest.Reopen(t, address)
			for range holders {
				c.join(t)
			}
			rounds := make([][]*order, len(kills))
			for kill := range kills {
				for i := range holders * perKill {
					rounds[kill] = append(rounds[kill], c.draft(t, i%holders))
				}
			}
			for kill, round := range rounds {
				c.killUnderLoad(t, kill, round)
			}
			c.switchStand(t, "service", "all", "command", "all", "mode", "normal")
			c.settle(t)
			c.count(t)
			c.told(t)
			c.audit(t)
			c.audit(t, "--since=1h")
		})
	}
}

// join signs somebody up and fills the wallet.
func (c *crash) join(t *testing.T) {
	t.Helper()
	p := somebody()
	r := newReader(t, c.site)
	signUp(t, c.site, r, wordsOf[i18n.RU], p)
	c.fill(t, p.phone, "5000.00")
	c.cash.Add(500000)
	c.persons, c.readers = append(c.persons, p), append(c.readers, r)
}

// draft leads a tab of a holder's browser to the check page of a payment.
func (c *crash) draft(t *testing.T, who int) *order {
	t.Helper()
	o := &order{inn: somebody().inn, tab: newReader(t, c.site)}
	o.amount = int64(1000 + 7*len(c.orders))
	o.tab.client = &http.Client{Jar: c.readers[who].client.Jar, Timeout: 30 * time.Second}
	o.tab.open("/services")
	o.tab.press("Другие")
	o.tab.press("DosTek group")
	o.tab.fill("account", o.inn)
	o.tab.fill("amount", fmt.Sprintf("%d,%02d", o.amount/100, o.amount%100))
	o.tab.press("Далее")
	button := o.tab.control("Оплатить")
	if button.Length() == 0 {
		t.Fatalf("no way to pay:\n%s", o.tab.text())
	}
	o.action, o.values = o.tab.submission(button)
	c.orders = append(c.orders, o)
	return o
}

// killUnderLoad presses "Оплатить" in many tabs at once, lets terminals bring
// cash, and kills the portal in the middle of it, each time a little later.
func (c *crash) killUnderLoad(t *testing.T, kill int, round []*order) {
	t.Helper()
	behaved := c.behave(t, kills[kill].orders)
	defer behaved()
	_, ended := c.standing(t)
	accepted := make(chan bool, len(round))
	var all sync.WaitGroup
	for _, o := range round {
		all.Go(func() { accepted <- o.accepted() })
	}
	for i := range 5 {
		all.Go(func() { c.bring(t, kill, i) })
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
	c.waitForEnds(t, ended+kills[kill].ends)
	if err := c.portal.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.portal.done
	if processing, ended := c.standing(t); processing < inFlight {
		t.Fatalf("kill %d: only %d payments were in flight, %d had ended", kill, processing, ended)
	}
	c.open(t)
	all.Wait()
	// Whoever got no answer presses again; who did sees the same receipt.
	each(round, func(o *order) {
		if err := o.press(); err != nil {
			t.Errorf("kill %d: %v", kill, err)
		}
	})
}

// behave gives the stand-in these orders by turns until it is told to stop.
func (c *crash) behave(t *testing.T, orders []string) (stop func()) {
	t.Helper()
	give := func(order string) error {
		answer, err := http.Post(c.company+"/switches", "application/x-www-form-urlencoded",
			strings.NewReader("service=dostek&command=pay&"+order))
		if err == nil {
			err = answer.Body.Close()
		}
		return err
	}
	if err := give(orders[0]); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	var turns sync.WaitGroup
	turns.Go(func() {
		for i := 1; len(orders) > 1; i++ {
			select {
			case <-over:
				return
			case <-time.After(10 * time.Millisecond):
			}
			if err := give(orders[i%len(orders)]); err != nil {
				t.Error(err)
			}
		}
	})
	return func() { close(over); turns.Wait() }
}

// standing counts payments in the database.
func (c *crash) standing(t *testing.T) (processing, ended int64) {
	t.Helper()
	row := c.books.Pool().QueryRow("SELECT COUNT(CASE WHEN state = 'processing' THEN 1 END), COUNT(CASE WHEN state <> 'processing' THEN 1 END) FROM payments")
	if err := row.Scan(&processing, &ended); err != nil {
		t.Fatal(err)
	}
	return processing, ended
}

// waitForEnds waits until so many payments have ended: after a kill that takes
// until the leases of the killed have run out.
func (c *crash) waitForEnds(t *testing.T, wanted int64) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		processing, ended := c.standing(t)
		if ended >= wanted {
			return
		}
		if time.Since(begin) > time.Minute {
			t.Fatalf("%d payments have ended, %d wait; wanted %d", ended, processing, wanted)
		}
	}
}

// each does something with every order, all at once.
func each(orders []*order, do func(o *order)) {
	var all sync.WaitGroup
	for _, o := range orders {
		all.Go(func() { do(o) })
	}
	all.Wait()
}

// accepted presses once and tells whether the portal accepted the payment,
// without waiting for its receipt.
func (o *order) accepted() bool {
	once := *o.tab
	once.client = &http.Client{
		Jar: o.tab.client.Jar, Timeout: o.tab.client.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	err := once.request(http.MethodPost, o.action, o.values)
	return err == nil && once.status == http.StatusSeeOther
}

// press sends the form of the check page, also again, and keeps the page that
// it led to: the receipt.
func (o *order) press() error {
	if err := o.tab.request(http.MethodPost, o.action, o.values); err != nil {
		return err
	}
	if o.tab.page.Find("[data-payment-status]").Length() == 0 {
		return fmt.Errorf("pressing Оплатить led to %s (%d): %s", o.tab.at, o.tab.status, o.tab.text())
	}
	return nil
}

// bring puts 10 som into a wallet, and repeats as terminals do until it is told.
func (c *crash) bring(t *testing.T, kill, i int) {
	id := fmt.Sprintf("%d%d%d", terminalRun, 700+kill, 10+i)
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(100 * time.Millisecond) {
		told, err := c.terminalRequest("pay", id, c.persons[i%holders].phone, "10.00")
		if err == nil && told.Result == 0 {
			c.cash.Add(1000)
			return
		}
	}
	t.Errorf("the terminal was never told about %s", id)
}

// settle waits until every payment has ended.
func (c *crash) settle(t *testing.T) {
	t.Helper()
	open := c.orders
	for begin := time.Now(); len(open) > 0; time.Sleep(500 * time.Millisecond) {
		if time.Since(begin) > 4*time.Minute {
			t.Fatalf("%d of %d payments never ended", len(open), len(c.orders))
		}
		each(open, func(o *order) {
			if err := o.tab.request(http.MethodGet, o.tab.at.String(), nil); err == nil {
				o.status = o.tab.page.Find("[data-payment-status]").AttrOr("data-payment-status", "")
			}
		})
		open = slices.DeleteFunc(slices.Clone(open), func(o *order) bool { return o.status == "completed" || o.status == "refunded" })
	}
}

// count compares what everybody has with the cash that was put in.
func (c *crash) count(t *testing.T) {
	t.Helper()
	var wallets, companies int64
	codes, ends := map[string]bool{}, map[string]int{}
	for _, o := range c.orders {
		got := c.companyBalance(t, o.inn)
		companies += got
		want := map[string]int64{"completed": o.amount, "refunded": 0}[o.status]
		if got != want {
			t.Errorf("a payment of %d is %s, the company has %d", o.amount, o.status, got)
		}
		ends[o.status]++
		code := o.tab.attribute("data-payment-code")
		if codes[code] {
			t.Errorf("two payments have the code %s", code)
		}
		codes[code] = true
	}
	if ends["completed"] == 0 || ends["refunded"] == 0 {
		t.Errorf("both ends are wanted: %v", ends)
	}
	for _, r := range c.readers {
		r.open("/cabinet")
		balance, err := strconv.ParseInt(r.attribute("data-balance"), 10, 64)
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

// told wants an SMS about each end, each promised once.
func (c *crash) told(t *testing.T) {
	t.Helper()
	count := func(query string) (n int) {
		if err := c.books.Pool().QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const ends = "FROM promises WHERE lane = 'sms' AND key LIKE 'payment:%'"
	for begin := time.Now(); count("SELECT COUNT(*) FROM promises WHERE state = 'open'") > 0; time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatalf("%d promises stay open", count("SELECT COUNT(*) FROM promises WHERE state = 'open'"))
		}
	}
	if n := count("SELECT COUNT(*) " + ends); n != len(c.orders) {
		t.Errorf("%d SMS about %d payments", n, len(c.orders))
	}
	if n := count("SELECT COUNT(*) " + ends + " AND state <> 'kept'"); n > 0 {
		t.Errorf("%d SMS were given up", n)
	}
}
