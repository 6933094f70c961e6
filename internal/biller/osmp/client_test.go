package osmp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/biller"
)

// planted must never occur in an error.
const (
	plantedAccount  = "00207199610017"
	plantedPassword = "s3cret-pass"
	plantedToken    = "t0ken-of-ours"
)

func asked() biller.Request { r := ours; r.Date = noon; return r }

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// secretive adds credentials and a query to a server's address.
func secretive(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("elsom", plantedPassword)
	u.Path, u.RawQuery = "/osmp", "token="+plantedToken
	return u.String()
}

func tellsNothing(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("unknown without a reason for the log")
	}
	for _, secret := range []string{plantedAccount, plantedPassword, plantedToken, ours.TxnID, "?", "@"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error holds %q: %v", secret, err)
		}
	}
}

func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func with(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

func result(n int) string {
	return fmt.Sprintf(`<response><osmp_txn_id>%s</osmp_txn_id><result>%d</result></response>`, ours.TxnID, n)
}

func TestRequestFormat(t *testing.T) {
	calls := make(chan *http.Request, 2)
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		calls <- r
		_, _ = w.Write(golden(t, r.URL.Query().Get("command")))
	})
	c := New(Options{URL: secretive(t, address)})

	a := c.Check(t.Context(), asked())
	if a.Outcome != biller.Good || a.Result != 0 || a.Name != "ОсОО «Көл-Суу»" || a.Err != nil {
		t.Errorf("check: %+v", a)
	}
	a = c.Pay(t.Context(), asked())
	if a.Outcome != biller.Good || a.Result != 0 || a.Reference != "2016" || a.Comment != "OK" || a.Err != nil {
		t.Errorf("pay: %+v", a)
	}
	for _, want := range []string{
		"/osmp?token=" + plantedToken + "&command=check&txn_id=1763798400000123456&account=00207199610017&sum=250.50",
		"/osmp?token=" + plantedToken + "&command=pay&txn_id=1763798400000123456&txn_date=20261123000509&account=00207199610017&sum=250.50",
	} {
		r := <-calls
		if r.Method != http.MethodGet || r.RequestURI != want {
			t.Errorf("%s %s\nwant %s", r.Method, r.RequestURI, want)
		}
		if user, password, ok := r.BasicAuth(); !ok || user != "elsom" || password != plantedPassword {
			t.Errorf("basic auth %q %q %t", user, password, ok)
		}
		if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
			t.Error("the question has a body")
		}
		if packed := r.Header.Get("Accept-Encoding"); packed != "" {
			t.Errorf("a packed answer is asked for: %s", packed)
		}
	}
}

func TestEveryResult(t *testing.T) {
	for n, want := range map[int]biller.Outcome{
		0: biller.Good, 1: biller.Later, 90: biller.Later,
		4: biller.Refused, 5: biller.Refused, 7: biller.Refused, 8: biller.Refused, 79: biller.Refused,
		241: biller.Refused, 242: biller.Refused, 300: biller.Refused,
		243: biller.Unknown, 2: biller.Unknown, 999: biller.Unknown,
	} {
		c := New(Options{URL: serve(t, body(result(n)))})
		for act, a := range map[string]biller.Answer{"check": c.Check(t.Context(), asked()), "pay": c.Pay(t.Context(), asked())} {
			if a.Outcome != want || a.Result != n {
				t.Errorf("%s, result %d: %+v", act, n, a)
			}
			if (a.Err != nil) != (want == biller.Unknown) {
				t.Errorf("%s, result %d: Err = %v", act, n, a.Err)
			}
		}
	}
}

// reset closes the connection with RST after the request was read.
func reset(t *testing.T) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
}

// raw answers with bytes that need not be HTTP.
func raw(t *testing.T, answer string) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, answer)
		_ = conn.Close()
	}
}

func TestFailedCalls(t *testing.T) {
	done := result(0)
	for name, day := range map[string]http.HandlerFunc{
		"reset connection":  reset(t),
		"closed connection": raw(t, ""),
		"not HTTP":          raw(t, "account "+plantedAccount+"\r\n\r\n"),
		"cut answer":        raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"+done),
		"500":               with(http.StatusInternalServerError, done),
		"404":               with(http.StatusNotFound, done),
		"201":               with(http.StatusCreated, done),
		"204":               with(http.StatusNoContent, ""),
		"broken XML":        body("<response><result>0</result>"),
		"html":              body("<!doctype html><title>" + plantedAccount + "</title>"),
		"wrong id":          body("<response><osmp_txn_id>7</osmp_txn_id><result>0</result></response>"),
		"wrong sum":         body("<response><sum>1.00</sum><result>0</result></response>"),
		"wrong and refused": body("<response><osmp_txn_id>7</osmp_txn_id><result>5</result></response>"),
		"doctype":           body("<!DOCTYPE response>" + done),
		"empty":             body(""),
		"huge":              body(done + strings.Repeat(" ", maxBody)), // good as far as it is read
		"huge header": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Long", strings.Repeat("x", 64<<10))
			_, _ = io.WriteString(w, done)
		},
		"unasked gzip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "\x1f\x8b\x08\x00")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			c := New(Options{URL: secretive(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				day(w, r)
			}))})
			a := c.Pay(t.Context(), asked())
			if a.Outcome != biller.Unknown || a.Result != biller.ResultNone || a.Name != "" || a.Reference != "" {
				t.Errorf("%+v", a)
			}
			tellsNothing(t, a.Err)
			if calls.Load() != 1 {
				t.Errorf("%d calls for one question", calls.Load())
			}
		})
	}
}

func TestBodyAtItsBoundIsRead(t *testing.T) {
	done := result(0)
	c := New(Options{URL: serve(t, body(done+strings.Repeat(" ", maxBody-len(done))))})
	if a := c.Pay(t.Context(), asked()); a.Outcome != biller.Good {
		t.Errorf("%+v", a)
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) { elsewhere.Add(1); _, _ = io.WriteString(w, result(0)) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		c := New(Options{URL: secretive(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other+"/?account="+plantedAccount, status)
		}))})
		a := c.Pay(t.Context(), asked())
		if a.Outcome != biller.Unknown {
			t.Errorf("%d: %+v", status, a)
		}
		tellsNothing(t, a.Err)
	}
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestTimeout(t *testing.T) {
	hang := make(chan struct{})
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	stalled := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "<response>")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(hang) })
	for name, address := range map[string]string{"no answer": silent, "half an answer": stalled} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			a := New(Options{URL: secretive(t, address)}).Pay(ctx, asked())
			if a.Outcome != biller.Unknown || !errors.Is(a.Err, context.DeadlineExceeded) {
				t.Errorf("the caller's deadline: %+v", a)
			}
			tellsNothing(t, a.Err)

			a = New(Options{URL: secretive(t, address), Timeout: 50 * time.Millisecond}).Pay(t.Context(), asked())
			if a.Outcome != biller.Unknown || !errors.Is(a.Err, context.DeadlineExceeded) {
				t.Errorf("our own deadline: %+v", a)
			}
			tellsNothing(t, a.Err)

			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			a = New(Options{URL: secretive(t, address)}).Pay(ctx, asked())
			if a.Outcome != biller.Unknown || !errors.Is(a.Err, context.Canceled) {
				t.Errorf("canceled: %+v", a)
			}
			tellsNothing(t, a.Err)
		})
	}
}

func TestUnreachableBiller(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	for _, host := range []string{"http://" + address, "http://biller.invalid"} {
		a := New(Options{URL: secretive(t, host)}).Pay(t.Context(), asked())
		if a.Outcome != biller.Unsent || a.Result != biller.ResultNone {
			t.Errorf("%+v", a)
		}
		tellsNothing(t, a.Err)
	}
}

// A request that waits for a connection until its deadline was not sent; one that
// got a connection may have been, however the connection ends.
func TestUnsentOnlyWithoutAConnection(t *testing.T) {
	hang, arrived := make(chan struct{}), make(chan struct{}, 10)
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	mute, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the kernel, and answers no handshake
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(hang); _ = mute.Close() })

	busy := New(Options{URL: silent, Conns: 1})
	first := make(chan biller.Answer, 1)
	firstCtx, firstEnds := context.WithCancel(t.Context())
	go func() { first <- busy.Pay(firstCtx, asked()) }()
	<-arrived
	for name, c := range map[string]*Client{
		"every connection is busy":   busy,
		"the TLS handshake hangs":    New(Options{URL: secretive(t, "https://"+mute.Addr().String())}),
		"the call was canceled":      nil,
		"the biller can't be dialed": New(Options{URL: "http://127.0.0.1:1/"}),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if c == nil {
			c = New(Options{URL: silent})
			cancel()
		}
		a := c.Pay(ctx, asked())
		cancel()
		if a.Outcome != biller.Unsent {
			t.Errorf("%s: %+v", name, a)
		}
		tellsNothing(t, a.Err)
	}
	firstEnds()
	if a := <-first; a.Outcome != biller.Unknown {
		t.Errorf("the call that has the connection: %+v", a)
	}
}
