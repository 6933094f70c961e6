package chaos_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/notify/sms"
)

// Our record of a payment, and the biller's.
type (
	ourPayment struct {
		txn, inn, state string
		amount          int64
		accepts, ends   int
		ending          string // operation of the transfer that ended it
	}
	billersPayment struct {
		txn    string
		sum    int64
		result int64
	}
)

// waitEnded waits until every payment has ended.
func (d *scenario) waitEnded() {
	d.t.Helper()
	d.SetStandIn(d.t, "service", "all", "command", "all", "mode", "normal")
	least := 1 << 30
	for progress := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		// The fault is over, so the pauses between attempts are skipped. Leases of
		// killed processes still have to expire.
		err := d.books.InStatement(context.Background(), func(tx *database.Tx) error {
			return tx.Gorm().Exec("UPDATE payments SET due_at = ? WHERE state = 'processing' AND lease = 0", tx.Now()).Error
		})
		if err != nil && !fault.Is(err, fault.Unavailable) { // the workers' statements lock the same rows in another order
			d.t.Fatal(err)
		}
		open := d.count("SELECT COUNT(*) FROM payments WHERE state = 'processing'")
		if open == 0 {
			return
		}
		if open < least {
			least, progress = open, time.Now()
		}
		if time.Since(progress) > 2*time.Minute {
			d.t.Fatalf("%d payments are still processing", open)
		}
	}
}

func (d *scenario) count(query string, args ...any) (n int) {
	d.t.Helper()
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) { // this test's own connections may be lost, too
		err := d.books.Pool().QueryRow(query, args...).Scan(&n)
		if err == nil {
			return n
		}
		if time.Since(begin) > 10*time.Second {
			d.t.Fatal(err)
		}
	}
}

// compareBooks compares what the clients were answered, our payments and the
// biller's.
func (d *scenario) compareBooks() {
	d.t.Helper()
	ours, billers := d.ourBook(), d.billersBook()
	paid, completed, booked := map[*customer]int64{}, int64(0), int64(0)
	for _, a := range d.log.orders {
		p, has := ours[a.draft]
		b := billers[a.inn]
		delete(ours, a.draft)
		delete(billers, a.inn)
		if wrong := a.mismatch(p, has, b); wrong != "" {
			d.t.Errorf("payment %s of %d to %s, answered %s: %s", a.draft, a.amount, a.inn, strings.Join(a.answers, ", "), wrong)
		}
		if p.state == "completed" {
			paid[a.customer] += p.amount
			completed += p.amount
		}
		for _, one := range b {
			if one.result == 0 {
				booked += one.sum
			}
		}
	}
	if len(ours) > 0 || len(billers) > 0 {
		d.t.Errorf("%d payments of ours and %d of the biller's were sent by no client", len(ours), len(billers))
	}
	if completed != booked {
		d.t.Errorf("we sent %d, the biller has %d", completed, booked)
	}
	if d.log.internalErrors > 0 {
		d.t.Errorf("%d submissions were answered with HTTP 500, which leaves the outcome open", d.log.internalErrors)
	}
	d.wallets(paid)
	d.messages()
	checkLog(d.t, d.Site, d.books, d.head)
}

// mismatch describes how the three records of an order disagree; empty if they
// agree.
func (a *order) mismatch(p ourPayment, has bool, b []billersPayment) string {
	good := 0
	for _, one := range b {
		if one.result == 0 {
			good++
		}
	}
	switch {
	case len(b) > 1:
		return fmt.Sprintf("the biller has it %d times", len(b))
	case !has && a.outcome == gotAccepted:
		return "it is not in our books"
	case !has && len(b) > 0:
		return "the biller has it and we don't"
	case !has:
		return ""
	case a.outcome == gotRefused:
		return "it is in our books, " + p.state
	case a.outcome == notSent:
		return "it is in our books, but «Оплатить» was not sent"
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

func (d *scenario) ourBook() map[string]ourPayment {
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

// billersBook reads the stand-in's payments, by company.
func (d *scenario) billersBook() map[string][]billersPayment {
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

// wallets checks that each balance in the cabinet is the cash brought less what
// was paid.
func (d *scenario) wallets(paid map[*customer]int64) {
	d.t.Helper()
	want := map[*customer]int64{}
	for _, c := range d.log.cash {
		if c.outcome == gotAccepted {
			want[c.customer] += c.amount
		}
	}
	for _, h := range d.customers {
		h.reader.Open("/cabinet")
		if got := h.reader.Attribute("data-balance"); got != strconv.FormatInt(want[h]+d.moved[h]-paid[h], 10) {
			d.t.Errorf("the wallet %s has %s: cash %d, paid %d, transferred %d", h.Phone, got, want[h], paid[h], d.moved[h])
		}
	}
}

// messages checks that one SMS is queued about each ended payment. None may have
// failed unless a number can have reached its daily limit.
func (d *scenario) messages() {
	d.t.Helper()
	const about = "FROM messages WHERE key LIKE 'payment:%'"
	ends := d.count("SELECT COUNT(*) FROM payments")
	if n := d.count("SELECT COUNT(*) " + about); n != ends {
		d.t.Errorf("%d SMS about %d payments", n, ends)
	}
	if n := d.count("SELECT COUNT(*) " + about + " AND state = 'failed'"); n > 0 && d.count("SELECT COUNT(*) FROM messages") <= sms.DailyNotices/2 {
		d.t.Errorf("%d SMS have failed", n)
	}
}

// summary counts the outcomes in the clients' log.
func (d *scenario) summary() string {
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	n := map[outcome]int{}
	unknown := 0
	for _, a := range d.log.orders {
		n[a.outcome]++
		for _, was := range a.answers {
			if strings.HasPrefix(was, "unknown") {
				unknown++
				break
			}
		}
	}
	return fmt.Sprintf("%d payments accepted, %d refused, %d unknown at the end (%d at some time), %d answers were HTTP 500, %d cash-ins",
		n[gotAccepted], n[gotRefused], n[gotUnknown], unknown, d.log.internalErrors, len(d.log.cash))
}
