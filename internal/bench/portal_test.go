package bench_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
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
		"ELSOM_LISTEN=" + p.listen, "ELSOM_DATABASE_URL=" + bdb.address, "ELSOM_DOSTEK_URL=" + dostek,
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

// silent is a biller that never answers, so that only accepting is measured.
func silent(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			b.Cleanup(func() { _ = conn.Close() })
		}
	}()
	return "http://" + listener.Addr().String() + "/pay"
}

// instant is a biller that answers 0 at once.
func instant(b *testing.B) string {
	b.Helper()
	var booked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		var id, sum strings.Builder
		_ = xml.EscapeText(&id, []byte(r.URL.Query().Get("txn_id")))
		_ = xml.EscapeText(&sum, []byte(r.URL.Query().Get("sum")))
		_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><response><osmp_txn_id>%s</osmp_txn_id><prv_txn>%d</prv_txn>`+
			`<sum>%s</sum><result>0</result><comment>OK</comment></response>`, id.String(), booked.Add(1), sum.String())
	}))
	b.Cleanup(server.Close)
	return server.URL + "/pay"
}

// draft is a payment on its check page, and its payer.
type draft struct {
	id int64
	of payer
}

// benchDraftLife is how long the drafts of a measurement can be accepted.
const benchDraftLife = 12 * time.Hour

// draw creates drafts until there are n, before the measurement.
func (bdb *benchDB) draw(n int) {
	bdb.m.b.Helper()
	left := len(bdb.drafts) - int(bdb.taken.Load())
	bdb.drafts = bdb.drafts[len(bdb.drafts)-max(0, left):]
	bdb.taken.Store(0)
	n -= len(bdb.drafts)
	if n <= 0 {
		return
	}
	payers := bdb.m.server.payers
	ids, customers, numbers := make([]int64, n), make([]int64, n), make([]string, n)
	macs, made, keyID := make([][]byte, n), bdb.db.Now(), ""
	for i := range n {
		of := payers[bdb.drawn.Add(1)*7919%int64(len(payers))]
		ids[i], customers[i], numbers[i] = bdb.db.NewID(), of.customer, bdb.number(bdb.drawn.Load(), 18)
		bdb.drafts = append(bdb.drafts, draft{ids[i], of})
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
}

// next returns a draft that is not paid.
func (bdb *benchDB) next() (draft, bool) {
	i := bdb.taken.Add(1) - 1
	if i >= int64(len(bdb.drafts)) {
		return draft{}, false
	}
	return bdb.drafts[i], true
}

// pay sends «Оплатить» of one draft.
func (bdb *benchDB) pay(w *connection) outcome {
	d := w.rejected
	if w.rejected = (draft{}); d.id == 0 {
		var ok bool
		if d, ok = bdb.next(); !ok {
			return over
		}
	}
	r, err := w.post("/check/"+strconv.FormatInt(d.id, 10), d.of.cookie, "csrf="+d.of.tok)
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

// payOverHTTP runs a load of «Оплатить», spread evenly over the portals.
func (bdb *benchDB) payOverHTTP(r load, portals ...*portal) figure {
	connections := make([]connection, r.callers)
	for i := range connections {
		connections[i].host = portals[i%len(portals)].listen
		defer connections[i].close()
	}
	r.do = func(caller int) outcome { return bdb.pay(&connections[caller]) }
	f := r.run()
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
	// the measurement.
	for _, tidy := range []string{"VACUUM (ANALYZE) sessions, drafts", "CHECKPOINT"} {
		require.NoError(bdb.m.b, bdb.m.server.server.Exec(bdb.database(), tidy))
	}
}

// many returns a number of drafts that suffices for one measurement.
func (m *runner) many() int { return int(10_000 * m.lasting.Seconds()) }
