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

// pressed measures «Оплатить» over one portal with 32 connections.
func (m *runner) pressed() (figure, *benchDB) {
	k := m.open("http")
	p := k.portal("http", m.server.silent())
	return m.measureOnce("«Оплатить», 32 connections", func() figure {
		k.ready(m.many(), p)
		return k.presses(load{callers: 32, lasting: m.lasting}, p)
	}), k
}

func pressing(m *runner) measured {
	yardstick := m.pgbench()
	f, k := m.pressed()
	return on(per(f, yardstick), k)
}

// delivering measures payments until they are completed: accepted, sent to the
// biller, settled, the SMS queued.
func delivering(m *runner) measured {
	yardstick := m.pgbench()
	k := m.open("deliveries")
	p := k.portal("deliveries", m.server.instant())
	n := int(1000 * m.lasting.Seconds())
	f := m.measureOnce("«Оплатить» until completed", func() figure {
		k.ready(n, p)
		return k.completed(func() figure { return k.presses(load{callers: 32, lasting: 10 * time.Minute}, p) })
	})
	posted := m.measureOnce("the ledger's until completed", func() figure {
		return k.completed(func() figure { return k.rushOf(n, 32, whole) })
	})
	if now := k.rows(); now.Completed != k.payments.Load() {
		m.b.Errorf("%d payments were accepted, %d are completed", k.payments.Load(), now.Completed)
	}
	r := per(f, yardstick)
	r.details += fmt.Sprintf(" (%s; posted by the ledger without HTTP: %s)", f.note, formatThousands(posted.rate))
	return on(r, k)
}

// completed measures from the first payment until none is open.
func (k *benchDB) completed(accept func() figure) figure {
	k.m.b.Helper()
	k.settled()
	begin := time.Now()
	f := accept()
	k.settled()
	f.note = fmt.Sprintf("%s accepted at %s a second", formatThousands(f.done), formatThousands(f.rate))
	f.rate, f.p99 = float64(f.done)/time.Since(begin).Seconds(), 0
	return f
}

// settled waits until no payment is processing.
func (k *benchDB) settled() {
	k.m.b.Helper()
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		var open bool
		require.NoError(k.m.b, k.db.Pool().QueryRow("SELECT EXISTS (SELECT 1 FROM payments WHERE state = 'processing')").Scan(&open))
		if !open {
			return
		}
		if time.Since(begin) > 10*time.Minute {
			k.m.b.Fatal("payments are still under way after ten minutes")
		}
	}
}

func twoPortals(m *runner) measured {
	k := m.open("two portals")
	one, two := k.portal("the one", m.server.silent()), k.portal("the other", m.server.silent())
	alone := m.measureOnce("one portal of two", func() figure {
		k.ready(m.many(), one, two)
		return k.presses(load{callers: 32, lasting: m.lasting}, one)
	})
	both := m.measureOnce("two portals", func() figure {
		k.ready(m.many())
		return k.presses(load{callers: 32, lasting: m.lasting}, one, two)
	})
	return on(per(both, alone), k)
}

// overload offers ten times the saturating rate, over up to a thousand connections.
// Goodput is the rate of accepted payments.
func overload(m *runner) measured {
	k := m.open("overload")
	p := k.portal("overload", m.server.silent())
	peak, _ := m.pressed()
	more := m.measureOnce("«Оплатить», 128 connections", func() figure {
		k.ready(m.many(), p)
		return k.presses(load{callers: 128, lasting: m.lasting}, p)
	})
	if more.rate > peak.rate {
		peak = more
	}
	f := m.measureOnce("ten times the load", func() figure {
		k.ready(m.many(), p)
		return k.presses(load{callers: 1000, lasting: m.lasting, rate: 10 * peak.rate}, p)
	})
	r := on(per(f, peak), k)
	r.details += fmt.Sprintf(" (%s refused, p99 %.0f ms, %s)", formatThousands(f.refused), milliseconds(f.p99), f.note)
	return r
}

// benchStormers is the number of connections that log in repeatedly.
const benchStormers = 48

// storm pays at half the saturating rate, without and with a storm of logins.
func storm(m *runner) measured {
	peak, _ := m.pressed()
	k := m.open("logins")
	// Without rate limits: all logins come from one address.
	p := k.portal("logins", m.server.silent(), "ELSOM_MODE=development", system.WithoutRateLimits)
	half := load{callers: 32, lasting: m.lasting, rate: peak.rate / 2}
	calm := m.measureOnce("half the load", func() figure {
		k.ready(m.many(), p)
		return k.presses(half, p)
	})
	stormy := m.measureOnce("half the load in a storm of logins", func() figure {
		k.ready(m.many())
		var in, turnedAway atomic.Int64
		var all sync.WaitGroup
		all.Go(func() { in.Store(k.logins(p, half.lasting, &turnedAway)) })
		f := k.presses(half, p)
		all.Wait()
		f.note = fmt.Sprintf("%d logins, %d turned away", in.Load(), turnedAway.Load())
		return f
	})
	r := on(per(stormy, calm), k)
	r.details += " (" + stormy.note + ")"
	return r
}

// logins logs in repeatedly with right passwords and returns the count.
func (k *benchDB) logins(p *portal, lasting time.Duration, turnedAway *atomic.Int64) int64 {
	wires := make([]connection, benchStormers)
	f := load{callers: benchStormers, lasting: lasting, act: func(caller int) outcome {
		i := k.knocked.Add(1) - 1
		if i >= int64(len(k.m.server.strangers)) {
			return over
		}
		w := &wires[caller]
		w.host = p.listen
		stranger := k.m.server.strangers[i]
		r, err := w.post("/login", stranger.cookie, "csrf="+stranger.tok+"&password="+benchPasswordForm)
		switch {
		case err == nil && r.status == http.StatusSeeOther && r.location == "/cabinet":
			return done
		case err == nil && r.status == http.StatusSeeOther:
			k.m.b.Errorf("a login led to %s", r.location)
			return over
		}
		turnedAway.Add(1)
		return refused
	}}.run()
	for i := range wires {
		wires[i].close()
	}
	return f.done
}
