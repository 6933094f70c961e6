package chaos_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/notify/sms"
)

// Ours and the biller's: the second and the third book.
type (
	ourPayment struct {
		txn, inn, state string
		amount          int64
		accepts, ends   int
		ending          string // the act of the transfer that ended it
	}
	billersPayment struct {
		txn    string
		sum    int64
		result int64
	}
)

// settle waits until every payment has ended.
func (d *disaster) settle() {
	d.t.Helper()
	d.SetStandIn(d.t, "service", "all", "command", "all", "mode", "normal")
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		// Pauses between attempts are as good as over: the trouble is. Leases of
		// the dead still run out by themselves.
		err := d.books.InStatement(context.Background(), func(tx *database.Tx) error {
			return tx.Gorm().Exec("UPDATE promises SET due_at = ? WHERE state = 'open' AND lease = 0 AND lane LIKE 'biller:%'", tx.Now()).Error
		})
		if err != nil {
			d.t.Fatal(err)
		}
		open := d.count("SELECT COUNT(*) FROM payments WHERE state = 'processing'")
		if open == 0 {
			return
		}
		if time.Since(begin) > 3*time.Minute {
			d.t.Fatalf("%d payments never ended", open)
		}
	}
}

func (d *disaster) count(query string, args ...any) (n int) {
	d.t.Helper()
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) { // our own connections were lost, too
		err := d.books.Pool().QueryRow(query, args...).Scan(&n)
		if err == nil {
			return n
		}
		if time.Since(begin) > 10*time.Second {
			d.t.Fatal(err)
		}
	}
}

// compare lays the three books beside each other.
func (d *disaster) compare() {
	d.t.Helper()
	ours, billers := d.ourBook(), d.billersBook()
	paid, completed, booked := map[*holder]int64{}, int64(0), int64(0)
	for _, a := range d.log.acts {
		p, has := ours[a.draft]
		b := billers[a.inn]
		delete(ours, a.draft)
		delete(billers, a.inn)
		if wrong := a.wrong(p, has, b); wrong != "" {
			d.t.Errorf("payment %s of %d to %s, told %s: %s", a.draft, a.amount, a.inn, strings.Join(a.was, ", "), wrong)
		}
		if p.state == "completed" {
			paid[a.who] += p.amount
			completed += p.amount
		}
		for _, one := range b {
			if one.result == 0 {
				booked += one.sum
			}
		}
	}
	if len(ours) > 0 || len(billers) > 0 {
		d.t.Errorf("no client knows of %d payments of ours and %d of the biller's", len(ours), len(billers))
	}
	if completed != booked {
		d.t.Errorf("we sent %d, the biller has %d", completed, booked)
	}
	if d.log.unclear > 0 {
		d.t.Errorf("%d presses were answered HTTP 500, which says nothing", d.log.unclear)
	}
	d.wallets(paid)
	d.messages()
	d.Audit(d.t)
}

// wrong tells what is wrong with an act, by the three books.
func (a *act) wrong(p ourPayment, has bool, b []billersPayment) string {
	good := 0
	for _, one := range b {
		if one.result == 0 {
			good++
		}
	}
	switch {
	case len(b) > 1:
		return fmt.Sprintf("the biller has it %d times", len(b))
	case !has && a.told == isOK:
		return "it is not in our books"
	case !has && len(b) > 0:
		return "the biller has it and we don't"
	case !has:
		return ""
	case a.told == isRefused:
		return "it is in our books, " + p.state
	case a.told == notAsked:
		return "nobody pressed «Оплатить»"
	case p.amount != a.amount || p.inn != a.inn:
		return fmt.Sprintf("our books have %d to %s", p.amount, p.inn)
	case p.accepts != 1 || p.ends != 1:
		return fmt.Sprintf("it was accepted %d times and ended %d times", p.accepts, p.ends)
	case len(b) == 1 && b[0].txn != p.txn:
		return "the biller has it under another number"
	}
	switch p.state {
	case "completed":
		if good != 1 || b[0].sum != a.amount || p.ending != "payment.settle" {
			return fmt.Sprintf("completed by %s, the biller has %v", p.ending, b)
		}
	case "refunded":
		if good != 0 || p.ending != "payment.refund" {
			return fmt.Sprintf("refunded by %s, the biller has %v", p.ending, b)
		}
	default:
		return "it is " + p.state
	}
	return ""
}

func (d *disaster) ourBook() map[string]ourPayment {
	d.t.Helper()
	rows, err := d.books.Pool().Query(`SELECT p.id, p.txn_id, p.identifier, p.amount, p.state,
		(SELECT COUNT(*) FROM transfers WHERE request_key = 'payment:' || CAST(p.id AS VARCHAR(20)) || ':accept'),
		(SELECT COUNT(*) FROM transfers WHERE request_key = 'payment:' || CAST(p.id AS VARCHAR(20)) || ':end'),
		COALESCE((SELECT act FROM transfers WHERE request_key = 'payment:' || CAST(p.id AS VARCHAR(20)) || ':end'), '')
		FROM payments p`)
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	book := map[string]ourPayment{}
	for rows.Next() {
		var id int64
		var p ourPayment
		if err := rows.Scan(&id, &p.txn, &p.inn, &p.amount, &p.state, &p.accepts, &p.ends, &p.ending); err != nil {
			d.t.Fatal(err)
		}
		book[strconv.FormatInt(id, 10)] = p
	}
	if err := rows.Err(); err != nil {
		d.t.Fatal(err)
	}
	return book
}

// billersBook reads the stand-in's own database, company by company.
func (d *disaster) billersBook() map[string][]billersPayment {
	d.t.Helper()
	db := databasetest.Reopen(d.t, "sqlite:"+d.StandInDatabase)
	defer db.Close()
	rows, err := db.Pool().Query("SELECT account, txn_id, sum, result FROM payments")
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	book := map[string][]billersPayment{}
	for rows.Next() {
		var account string
		var b billersPayment
		if err := rows.Scan(&account, &b.txn, &b.sum, &b.result); err != nil {
			d.t.Fatal(err)
		}
		book[account] = append(book[account], b)
	}
	if err := rows.Err(); err != nil {
		d.t.Fatal(err)
	}
	return book
}

// wallets wants in each what was brought less what was paid, and the same on
// its holder's page.
func (d *disaster) wallets(paid map[*holder]int64) {
	d.t.Helper()
	want := map[*holder]int64{}
	for _, c := range d.log.cash {
		if c.told == isOK {
			want[c.who] += c.amount
		}
	}
	for _, h := range d.holders {
		h.reader.Open("/cabinet")
		if got := h.reader.Attribute("data-balance"); got != strconv.FormatInt(want[h]+d.moved[h]-paid[h], 10) {
			d.t.Errorf("the wallet %s has %s: %d were brought, %d paid, %d moved", h.Phone, got, want[h], paid[h], d.moved[h])
		}
	}
}

// messages wants one SMS promised about each end, and none given up before there
// are so many that a number can have reached its daily limit.
func (d *disaster) messages() {
	d.t.Helper()
	const about = "FROM promises WHERE lane = 'sms' AND key LIKE 'payment:%'"
	ends := d.count("SELECT COUNT(*) FROM payments")
	if n := d.count("SELECT COUNT(*) " + about); n != ends {
		d.t.Errorf("%d SMS about %d payments", n, ends)
	}
	if n := d.count("SELECT COUNT(*) " + about + " AND state = 'failed'"); n > 0 && d.count("SELECT COUNT(*) FROM messages") <= sms.DailyNotices/2 {
		d.t.Errorf("%d SMS were given up", n)
	}
}

// tally is the client's log in figures.
func (d *disaster) tally() string {
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	n := map[word]int{}
	unknown := 0
	for _, a := range d.log.acts {
		n[a.told]++
		for _, was := range a.was {
			if strings.HasPrefix(was, "unknown") {
				unknown++
				break
			}
		}
	}
	return fmt.Sprintf("%d payments ok, %d refused, %d unknown to the end (%d at some time), %d answers were HTTP 500, %d terminals' cash",
		n[isOK], n[isRefused], n[isUnknown], unknown, d.log.unclear, len(d.log.cash))
}
