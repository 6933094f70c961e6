package osmp

import (
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/biller"
)

func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	c := New(Options{URL: "http://biller.kg/"})
	if c.transport.Proxy != nil {
		t.Error("the transport asks for a proxy")
	}
}

func TestCallsAtOnceAreBounded(t *testing.T) {
	var now, most atomic.Int32
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n := now.Add(1)
		for {
			seen := most.Load()
			if n <= seen || most.CompareAndSwap(seen, n) {
				break
			}
		}
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		_, _ = io.WriteString(w, result(0))
	})
	c := New(Options{URL: address, Conns: 3})
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if a := c.Pay(t.Context(), asked()); a.Outcome != biller.Good {
				t.Errorf("%+v", a)
			}
		})
	}
	wait.Wait()
	if most.Load() > 3 {
		t.Errorf("%d calls at once, want at most 3", most.Load())
	}
}

func TestUntrustedCertificateIsRejected(t *testing.T) {
	server := httptest.NewUnstartedServer(body(result(0)))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	a := New(Options{URL: secretive(t, server.URL)}).Pay(t.Context(), asked())
	if a.Outcome != biller.Unsent {
		t.Errorf("a stranger's certificate: %+v", a)
	}
	tellsNothing(t, a.Err)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	if a := New(Options{URL: server.URL, RootCAs: roots}).Pay(t.Context(), asked()); a.Outcome != biller.Good {
		t.Errorf("a trusted certificate: %+v", a)
	}
}

// An invalid request is not sent, and is not taken for a refusal.
func TestInvalidRequestIsNotSent(t *testing.T) {
	var calls atomic.Int32
	address := serve(t, func(http.ResponseWriter, *http.Request) { calls.Add(1) })
	bad := asked()
	bad.Sum = 0
	for name, a := range map[string]biller.Answer{
		"a sum of zero": New(Options{URL: address}).Pay(t.Context(), bad),
		"no address":    New(Options{}).Pay(t.Context(), asked()),
		"bad address":   New(Options{URL: "http://elsom:" + plantedPassword + "@[::1/"}).Pay(t.Context(), asked()),
	} {
		if a.Outcome != biller.Unsent || a.Result != biller.ResultNone {
			t.Errorf("%s: %+v", name, a)
		}
		tellsNothing(t, a.Err)
	}
	if calls.Load() != 0 {
		t.Error("it was sent")
	}
}

func TestAnswerWithoutEchoIsAccepted(t *testing.T) {
	c := New(Options{URL: serve(t, body(string(golden(t, "pay_bare"))))})
	if a := c.Pay(t.Context(), asked()); a.Outcome != biller.Good {
		t.Errorf("%+v", a)
	}
}
