package bench_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"elsom/internal/customer"
	"elsom/internal/payment"
	"elsom/internal/testkit/require"

	"elsom/internal/testkit/system"
)

// portal starts a portal process in production mode, once for each name. dostek is
// the biller's address.
func (bdb *benchDB) portal(name, dostek string, env ...string) *portal {
	bdb.m.b.Helper()
	for _, p := range bdb.portals {
		if p.name == name {
			return p
		}
	}
	p := &portal{name: name, listen: system.FreeAddress(bdb.m.b)}
	p.Program = system.Start(bdb.m.b, "elsom", append([]string{
		"ELSOM_LISTEN=" + p.listen, "ELSOM_DRAIN=0s", "ELSOM_DATABASE_URL=" + bdb.address, "ELSOM_DOSTEK_URL=" + dostek,
		"ELSOM_SECRET_KEY=" + bdb.m.server.secret, "ELSOM_PIN_PEPPER=" + bdb.m.server.pepper,
	}, env...), "serve")
	p.WaitHealthy(bdb.m.b, "http://"+p.listen)
	bdb.portals = append(bdb.portals, p)
	return p
}

type portal struct {
	*system.Program
	name, listen string
}

// memory returns the peak memory of the process in MiB.
func (p *portal) memory() int64 { return system.PeakMemory(p.Cmd.Process.Pid) }

// draft is a payment on its check page, and its payer.
type draft struct {
	id int64
	of payer
}

// benchDraftLife is how long the drafts of a measurement can be accepted.
const benchDraftLife = 12 * time.Hour

// drafts is a queue of drafts that are not paid.
type drafts struct {
	list  []draft
	taken atomic.Int64
}

// next returns a draft, and whether there is one.
func (q *drafts) next() (draft, bool) {
	i := q.taken.Add(1) - 1
	if i >= int64(len(q.list)) {
		return draft{}, false
	}
	return q.list[i], true
}

// left returns the drafts that were not taken.
func (q *drafts) left() []draft { return q.list[min(int(q.taken.Load()), len(q.list)):] }

func (q *drafts) set(list []draft) {
	q.list = list
	q.taken.Store(0)
}

// draw creates drafts of all payers until there are n, before the measurement.
func (bdb *benchDB) draw(n int) {
	bdb.m.b.Helper()
	left, payers := bdb.drafts.left(), bdb.m.server.payers
	bdb.drafts.set(append(left, bdb.newDrafts(n-len(left), func() payer {
		return payers[bdb.turn.Add(1)*7919%int64(len(payers))]
	})...))
}

// newDrafts creates n drafts.
func (bdb *benchDB) newDrafts(n int, next func() payer) []draft {
	bdb.m.b.Helper()
	if n <= 0 {
		return nil
	}
	list, ids, customers, numbers := make([]draft, n), make([]int64, n), make([]int64, n), make([]string, n)
	macs, made, keyID := make([][]byte, n), bdb.db.Now(), ""
	for i := range n {
		of := next()
		ids[i], customers[i], numbers[i] = bdb.db.NewID(), of.customer, bdb.number(bdb.drawn.Add(1), 18)
		list[i] = draft{ids[i], of}
		d := payment.Draft{
			CustomerID: customers[i], Service: "dostek", Biller: "dostek", Identifier: "00207199610017", Payee: "ОсОО «Ала-Тоо»",
			Amount: benchAmount, TxnID: numbers[i],
		}
		d.ID, d.Channel, d.MadeAt, d.ExpiresAt = ids[i], customer.Web, made, made.Add(benchDraftLife)
		macs[i], keyID = bdb.db.Keys().Sign(d.Record())
	}
	_, err := bdb.db.Pool().ExecContext(context.Background(), `INSERT INTO drafts
		(id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, channel, made_at, expires_at, mac, key_id)
		SELECT id, customer, 'dostek', 'dostek', '00207199610017', 'ОсОО «Ала-Тоо»', $4, 0, txn_id, 'web', $5, $6, mac, $7
		FROM unnest($1::bigint[], $2::bigint[], $3::text[], $8::bytea[]) d(id, customer, txn_id, mac)`,
		ids, customers, numbers, benchAmount, made, made.Add(benchDraftLife), keyID, macs)
	require.NoError(bdb.m.b, err)
	return list
}

// pay sends «Оплатить» of one draft.
func (bdb *benchDB) pay(queue *drafts, w *connection) outcome {
	d := w.rejected
	if w.rejected = (draft{}); d.id == 0 {
		var ok bool
		if d, ok = queue.next(); !ok {
			return over
		}
	}
	r, err := w.post("/check/"+strconv.FormatInt(d.id, 10), d.of.headers, "csrf="+d.of.tok)
	switch {
	case err != nil:
		w.rejected = d // the connection was rejected or closed: the payment is sent again
		return refused
	case r.status == http.StatusSeeOther && strings.HasPrefix(r.location, "/receipt/"):
		bdb.payments.Add(1)
		return done
	case r.status == http.StatusServiceUnavailable || r.status == http.StatusTooManyRequests:
		w.rejected = d
		return refused
	}
	bdb.m.b.Errorf("«Оплатить» was answered %d %s", r.status, r.location)
	return over
}

// payOverHTTP runs a load of «Оплатить» of all payers, spread evenly over the portals.
func (bdb *benchDB) payOverHTTP(r load, portals ...*portal) figure {
	return bdb.payFrom(&bdb.drafts, r, portals...)
}

func (bdb *benchDB) payFrom(queue *drafts, r load, portals ...*portal) figure {
	connections := make([]connection, r.callers)
	for i := range connections {
		connections[i].host = portals[i%len(portals)].listen
		defer connections[i].close()
	}
	r.do = func(caller int) outcome { return bdb.pay(queue, &connections[caller]) }
	f := bdb.m.server.measureCPU(r.run, portals...)
	f.note = fmt.Sprintf("a portal of %d MiB", portals[0].memory())
	return f
}

// ready creates the drafts of a measurement, and warms a portal up once.
func (bdb *benchDB) ready(drafts int, portals ...*portal) {
	bdb.m.b.Helper()
	bdb.refresh()
	if !bdb.warm {
		bdb.warm = true
		bdb.draw(drafts / 5)
		bdb.payOverHTTP(load{callers: 32, lasting: bdb.m.lasting / 5}, portals...)
	}
	bdb.draw(drafts)
	// So many rows at once are not realistic: autovacuum must not run on them during
	// the measurement. A new table of attempts without statistics would be read whole for
	// each outcome, until autovacuum runs.
	for _, tidy := range []string{"VACUUM (ANALYZE) sessions, drafts", "ANALYZE payment_attempts", "CHECKPOINT"} {
		require.NoError(bdb.m.b, bdb.m.server.server.Exec(bdb.database(), tidy))
	}
}

// many returns a number of drafts that suffices for one measurement.
func (m *runner) many() int { return int(10_000 * m.lasting.Seconds()) }
