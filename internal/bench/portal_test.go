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

	"elsom/internal/testkit/require"

	"elsom/internal/testkit/system"
)

// portal starts a portal process in production mode, once for each name. dostek is
// the biller's address.
func (k *benchDB) portal(name, dostek string, env ...string) *portal {
	k.m.b.Helper()
	for _, p := range k.portals {
		if p.name == name {
			return p
		}
	}
	p := &portal{name: name, listen: system.FreeAddress(k.m.b)}
	p.Program = system.Start(k.m.b, "elsom", append([]string{
		"ELSOM_LISTEN=" + p.listen, "ELSOM_DATABASE_URL=" + k.address, "ELSOM_DOSTEK_URL=" + dostek,
		"ELSOM_SECRET_KEY=" + k.m.server.secret, "ELSOM_PIN_PEPPER=" + k.m.server.pepper,
	}, env...), "serve")
	p.WaitHealthy(k.m.b, "http://"+p.listen)
	k.portals = append(k.portals, p)
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

// draw creates drafts until there are n, before the measurement.
func (k *benchDB) draw(n int) {
	k.m.b.Helper()
	left := len(k.drafts) - int(k.taken.Load())
	k.drafts = k.drafts[len(k.drafts)-max(0, left):]
	k.taken.Store(0)
	n -= len(k.drafts)
	if n <= 0 {
		return
	}
	payers := k.m.server.payers
	ids, customers, numbers := make([]int64, n), make([]int64, n), make([]string, n)
	for i := range n {
		of := payers[k.drawn.Add(1)*7919%int64(len(payers))]
		ids[i], customers[i], numbers[i] = k.db.NewID(), of.customer, k.number(k.drawn.Load(), 18)
		k.drafts = append(k.drafts, draft{ids[i], of})
	}
	_, err := k.db.Pool().ExecContext(context.Background(), `INSERT INTO drafts
		(id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, channel, made_at, expires_at)
		SELECT id, customer, 'dostek', 'dostek', '00207199610017', 'ОсОО «Ала-Тоо»', $4, 0, txn_id, 'web', $5, $6
		FROM unnest($1::bigint[], $2::bigint[], $3::text[]) d(id, customer, txn_id)`,
		ids, customers, numbers, benchAmount, k.db.Now(), k.db.Now().Add(12*time.Hour))
	require.NoError(k.m.b, err)
}

// next returns a draft that is not paid.
func (k *benchDB) next() (draft, bool) {
	i := k.taken.Add(1) - 1
	if i >= int64(len(k.drafts)) {
		return draft{}, false
	}
	return k.drafts[i], true
}

// pay sends «Оплатить» of one draft.
func (k *benchDB) pay(w *connection) outcome {
	d := w.held
	if w.held = (draft{}); d.id == 0 {
		var ok bool
		if d, ok = k.next(); !ok {
			return over
		}
	}
	r, err := w.post("/check/"+strconv.FormatInt(d.id, 10), d.of.cookie, "csrf="+d.of.tok)
	switch {
	case err != nil:
		w.held = d // the connection was turned away or cut: the payer presses again
		return refused
	case r.status == http.StatusSeeOther && strings.HasPrefix(r.location, "/receipt/"):
		k.payments.Add(1)
		return done
	case r.status == http.StatusServiceUnavailable || r.status == http.StatusTooManyRequests:
		w.held = d
		return refused
	}
	k.m.b.Errorf("«Оплатить» was answered %d %s", r.status, r.location)
	return over
}

// presses runs a load of «Оплатить», evenly over the portals.
func (k *benchDB) presses(r load, portals ...*portal) figure {
	wires := make([]connection, r.callers)
	for i := range wires {
		wires[i].host = portals[i%len(portals)].listen
		defer wires[i].close()
	}
	r.act = func(caller int) outcome { return k.pay(&wires[caller]) }
	f := r.run()
	f.note = fmt.Sprintf("a portal of %d MiB", portals[0].memory())
	return f
}

// ready creates the drafts of a measurement, and warms a portal up once.
func (k *benchDB) ready(drafts int, portals ...*portal) {
	k.m.b.Helper()
	k.refresh()
	if !k.warm {
		k.warm = true
		k.draw(drafts / 5)
		k.presses(load{callers: 32, lasting: k.m.lasting / 5}, portals...)
	}
	k.draw(drafts)
	// So many rows at once are not realistic: autovacuum must not run on them during
	// the measurement.
	for _, tidy := range []string{"VACUUM (ANALYZE) sessions, drafts", "CHECKPOINT"} {
		_, err := k.db.Pool().Exec(tidy)
		require.NoError(k.m.b, err)
	}
}

// many returns a number of drafts that suffices for one measurement.
func (m *runner) many() int { return int(10_000 * m.lasting.Seconds()) }
