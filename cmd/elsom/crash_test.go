package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
)

// The crash test: the portal is killed six times while payments and cash are
// under way. Afterwards every payment has ended once, and what the wallets and
// the companies have is exactly the cash that was put in.
const (
	kills    = 6
	holders  = 5
	perKill  = 6  // payments of each holder before each kill
	inFlight = 20 // at least, at each kill
)

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
			c.hurry(t)
			for range holders {
				c.join(t)
			}
			// The stand-in books at once and answers too late: whatever is
			// accepted stays in flight.
			c.switchStand(t, "service", "dostek", "command", "pay", "mode", "slow", "seconds", "30")
			for kill := range kills {
				c.killUnderLoad(t, kill)
			}
			c.switchStand(t, "service", "all", "command", "all", "mode", "normal")
			c.settle(t)
			c.count(t)
			c.audit(t)
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
func (c *crash) killUnderLoad(t *testing.T, kill int) {
	t.Helper()
	var round []*order
	for i := range holders * perKill {
		round = append(round, c.draft(t, i%holders))
	}
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
	time.Sleep(time.Duration(kill) * 40 * time.Millisecond)
	if err := c.portal.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.portal.done
	c.open(t)
	all.Wait()
	// Whoever got no answer presses again; who did sees the same receipt.
	each(round, func(o *order) {
		if err := o.press(); err != nil {
			t.Errorf("kill %d: %v", kill, err)
		}
	})
	// The stand-in has not answered anybody yet, so nothing had ended.
	processing := 0
	for _, o := range round {
		if o.tab.page.Find("[data-payment-status=processing]").Length() > 0 {
			processing++
		}
	}
	if processing < inFlight {
		t.Fatalf("kill %d: only %d payments were in flight", kill, processing)
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
	codes := map[string]bool{}
	for _, o := range c.orders {
		got := c.companyBalance(t, o.inn)
		companies += got
		if o.status != "completed" || got != o.amount {
			t.Errorf("a payment of %d is %s, the company has %d", o.amount, o.status, got)
		}
		code := o.tab.attribute("data-payment-code")
		if codes[code] {
			t.Errorf("two payments have the code %s", code)
		}
		codes[code] = true
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
