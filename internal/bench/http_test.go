package bench_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"elsom/internal/testkit/require"

	"elsom/internal/testkit/system"
)

// httpPayments measures «Оплатить» over one portal, the same for any number of
// connections.
func (m *runner) httpPayments(connections int) (figure, *benchDB) {
	bdb := m.open("http")
	p := bdb.portal("http", m.server.silent())
	return m.measureOnce(fmt.Sprintf("«Оплатить», %d connections", connections), func() figure {
		bdb.ready(m.many(), p)
		return bdb.payOverHTTP(load{callers: connections, lasting: m.lasting}, p)
	}), bdb
}

func http32(m *runner) measured {
	yardstick := m.pgbench()
	f, bdb := m.httpPayments(32)
	return on(per(f, yardstick), bdb)
}

func http128(m *runner) measured {
	yardstick := m.pgbench()
	f, bdb := m.httpPayments(128)
	return on(per(f, yardstick), bdb)
}

// delivering measures payments until they are completed: accepted, sent to the
// biller, settled, the SMS queued.
func delivering(m *runner) measured {
	yardstick := m.pgbench()
	bdb := m.open("deliveries")
	p := bdb.portal("deliveries", m.server.instant())
	n := int(1000 * m.lasting.Seconds())
	f := m.measureOnce("«Оплатить» until completed", func() figure {
		bdb.ready(n, p)
		return bdb.completed(func() figure { return bdb.payOverHTTP(load{callers: 32, lasting: 10 * time.Minute}, p) })
	})
	if now := bdb.rows(); now.Completed-bdb.before.Completed != bdb.payments.Load() {
		m.b.Errorf("%d payments were accepted, %d are completed", bdb.payments.Load(), now.Completed-bdb.before.Completed)
	}
	r := per(f, yardstick)
	r.details += fmt.Sprintf(" (%s)", f.note)
	return on(r, bdb)
}

// handingOver is delivering with an SMS center, until that has every SMS.
func handingOver(m *runner) measured {
	yardstick := m.pgbench()
	bdb, p := m.delivers()
	f := m.measureOnce("«Оплатить» until every SMS is handed over", func() figure {
		bdb.ready(int(1000*m.lasting.Seconds()), p)
		return bdb.handedOver(func() figure { return bdb.payOverHTTP(load{callers: 32, lasting: 10 * time.Minute}, p) })
	})
	r := per(f, yardstick)
	r.details += fmt.Sprintf(" (%s)", f.note)
	return on(r, bdb)
}

// delivers returns the portal that delivers payments and SMS.
func (m *runner) delivers() (*benchDB, *portal) {
	bdb := m.open("sms")
	return bdb, bdb.portal("sms", m.server.instant(), "ELSOM_SMS_URL="+m.server.sms().url)
}

// peakHour is the latency of «Оплатить» at an assumed national peak, twice.
func peakHour(m *runner) measured {
	const rate = 300
	bdb, p := m.delivers()
	f := m.measureOnce("300 payments a second, all delivered", func() figure {
		bdb.ready(int(rate*m.lasting.Seconds()), p)
		f := bdb.payOverHTTP(load{callers: 32, lasting: m.lasting, rate: rate}, p)
		bdb.settled()
		return f
	})
	return on(measured{
		ratio:   milliseconds(f.p99),
		details: fmt.Sprintf("%s a second, p50 %.1f ms; %s", formatThousands(f.rate), milliseconds(f.p50), f.cpu),
	}, bdb)
}

// completed measures from the first payment until none is open.
func (bdb *benchDB) completed(accept func() figure) figure {
	bdb.m.b.Helper()
	return bdb.until(accept, bdb.settled)
}

// until measures from the first payment until ended returns.
func (bdb *benchDB) until(accept func() figure, ended func()) figure {
	bdb.m.b.Helper()
	ended()
	var rate float64
	begin := time.Now()
	f := bdb.m.server.measureCPU(func() figure {
		f := accept()
		rate = f.rate
		ended()
		return f
	}, bdb.portals...)
	f.note = fmt.Sprintf("%s accepted at %s a second", formatThousands(f.done), formatThousands(rate))
	f.rate, f.p99 = float64(f.done)/time.Since(begin).Seconds(), 0
	return f
}

// handedOver measures until the SMS center has an SMS for each payment.
func (bdb *benchDB) handedOver(accept func() figure) figure {
	bdb.m.b.Helper()
	return bdb.until(accept, func() { bdb.awaitSMS(bdb.m.server.sms()) })
}

// awaitSMS waits until the SMS center has an SMS for each payment.
func (bdb *benchDB) awaitSMS(center *smsCenter) {
	bdb.m.b.Helper()
	want := bdb.payments.Load()
	for begin := time.Now(); center.accepted.Load() < want; time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > 10*time.Minute {
			bdb.m.b.Fatalf("after ten minutes %d SMS of %d are handed over", center.accepted.Load(), want)
		}
	}
}

// settled waits until no payment is processing.
func (bdb *benchDB) settled() {
	bdb.m.b.Helper()
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		var open bool
		require.NoError(bdb.m.b, bdb.db.Pool().QueryRow("SELECT EXISTS (SELECT 1 FROM payments WHERE state = 'processing')").Scan(&open))
		if !open {
			return
		}
		if time.Since(begin) > 10*time.Minute {
			bdb.m.b.Fatal("payments are still under way after ten minutes")
		}
	}
}

func twoPortals(m *runner) measured {
	bdb := m.open("two portals")
	one, two := bdb.portal("the one", m.server.silent()), bdb.portal("the other", m.server.silent())
	alone := m.measureOnce("one portal of two", func() figure {
		bdb.ready(m.many(), one, two)
		bdb.meet(one)
		return bdb.payOverHTTP(load{callers: 32, lasting: m.lasting}, one)
	})
	both := m.measureOnce("two portals", func() figure {
		bdb.ready(m.many())
		bdb.meet(one, two)
		return bdb.payOverHTTP(load{callers: 32, lasting: m.lasting}, one, two)
	})
	return on(per(both, alone), bdb)
}

// meet pays once from each wallet at each portal, which then remembers the session. Two
// portals would otherwise read twice as many in a short measurement as one.
func (bdb *benchDB) meet(portals ...*portal) {
	bdb.m.b.Helper()
	for _, p := range portals {
		var queue drafts
		payers, n := bdb.m.server.payers, -1
		queue.set(bdb.newDrafts(len(payers), func() payer { n++; return payers[n] }))
		bdb.payFrom(&queue, load{callers: 32, lasting: time.Minute}, p)
	}
}

// overload offers ten times the saturating rate, over up to a thousand connections.
// Goodput is the rate of accepted payments.
func overload(m *runner) measured {
	bdb := m.open("overload")
	p := bdb.portal("overload", m.server.silent())
	peak, _ := m.httpPayments(32)
	if more, _ := m.httpPayments(128); more.rate > peak.rate {
		peak = more
	}
	f := m.measureOnce("ten times the load", func() figure {
		bdb.ready(m.many(), p)
		return bdb.payOverHTTP(load{callers: 1000, lasting: m.lasting, rate: 10 * peak.rate}, p)
	})
	r := on(per(f, peak), bdb)
	r.details += fmt.Sprintf(" (%s refused, p99 %.0f ms, %s)", formatThousands(f.refused), milliseconds(f.p99), f.note)
	return r
}

// loginCallers is the number of connections that log in repeatedly.
const loginCallers = 48

// storm pays at half the saturating rate, without and with a storm of logins.
func storm(m *runner) measured {
	peak, _ := m.httpPayments(32)
	bdb := m.open("logins")
	// Without rate limits: all logins come from one address.
	p := bdb.portal("logins", m.server.silent(), "ELSOM_MODE=development", system.WithoutRateLimits)
	half := load{callers: 32, lasting: m.lasting, rate: peak.rate / 2}
	calm := m.measureOnce("half the load", func() figure {
		bdb.ready(m.many(), p)
		return bdb.payOverHTTP(half, p)
	})
	stormy := m.measureOnce("half the load in a storm of logins", func() figure {
		bdb.ready(m.many())
		var in, rejected atomic.Int64
		var all sync.WaitGroup
		all.Go(func() { in.Store(bdb.logins(p, half.lasting, &rejected)) })
		f := bdb.payOverHTTP(half, p)
		all.Wait()
		f.note = fmt.Sprintf("%d logins, %d rejected", in.Load(), rejected.Load())
		return f
	})
	r := on(per(stormy, calm), bdb)
	r.details += " (" + stormy.note + ")"
	return r
}

// logins logs in repeatedly with right passwords and returns the count.
func (bdb *benchDB) logins(p *portal, lasting time.Duration, rejected *atomic.Int64) int64 {
	connections := make([]connection, loginCallers)
	f := load{callers: loginCallers, lasting: lasting, do: func(caller int) outcome {
		i := bdb.loginsBegun.Add(1) - 1
		if i >= int64(len(bdb.m.server.loggedOut)) {
			return over
		}
		w := &connections[caller]
		w.host = p.listen
		browser := bdb.m.server.loggedOut[i]
		r, err := w.post("/login", browser.headers, "csrf="+browser.tok+"&password="+benchPasswordForm)
		switch {
		case err == nil && r.status == http.StatusSeeOther && r.location == "/cabinet":
			return done
		case err == nil && r.status == http.StatusSeeOther:
			bdb.m.b.Errorf("a login led to %s", r.location)
			return over
		}
		rejected.Add(1)
		return refused
	}}.run()
	for i := range connections {
		connections[i].close()
	}
	return f.done
}
