package web_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"elsom/internal/testkit/require"
	"elsom/web"
)

// postIncomplete opens a connection that posts a form without its last byte.
func postIncomplete(t *testing.T, server *httptest.Server, size int) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: elsom.test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		size, strings.Repeat("1", size-1))
	require.NoError(t, err)
	return conn
}

// TestBodyBudget checks that bodies above the budget are answered 503 without being
// read, that large ones leave room for small ones, and that the budget is released.
func TestBodyBudget(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{handlers: func(d *web.Handlers) { d.Limits = web.Limits{Bodies: 16 << 10} }})
	server := httptest.NewServer(app.server)
	t.Cleanup(server.Close)
	post := func(size int) (int, http.Header) {
		answer, err := http.Post(server.URL+"/", "application/x-www-form-urlencoded", strings.NewReader(strings.Repeat("1", size)))
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		return answer.StatusCode, answer.Header
	}
	wait := func(size, want int) {
		t.Helper()
		got := 0
		for range 500 {
			if got, _ = post(size); got == want {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("a body of %d bytes: status %d, want %d", size, got, want)
	}
	large := postIncomplete(t, server, 10<<10)
	wait(3<<10, http.StatusServiceUnavailable) // 13 KiB exceed three quarters
	wait(2<<10, http.StatusForbidden)          // read, but without a token
	if _, header := post(3 << 10); header.Get("Retry-After") == "" || header.Get("Cache-Control") != "no-store" {
		t.Errorf("503 with %v", header)
	}
	small := []net.Conn{postIncomplete(t, server, 2<<10), postIncomplete(t, server, 2<<10), postIncomplete(t, server, 2<<10)}
	wait(100, http.StatusServiceUnavailable)
	for _, conn := range append(small, large) {
		_ = conn.Close()
	}
	wait(12<<10, http.StatusForbidden)
}

// TestBrowserBodiesDoNotBlockMachines checks that machines, which are authenticated
// before their bodies are read, have a budget of their own.
func TestBrowserBodiesDoNotBlockMachines(t *testing.T) {
	t.Parallel()
	app := newAppWith(t, options{handlers: func(d *web.Handlers) { d.Limits = web.Limits{Bodies: 4 << 10} }})
	server := httptest.NewServer(app.server)
	t.Cleanup(server.Close)
	postIncomplete(t, server, 2<<10)
	postIncomplete(t, server, 2<<10)
	post := func(path string, prove func(r *http.Request)) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader("command=check&txn_id=1&account=0700000000&sum=1"))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		prove(r)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode, string(text)
	}
	status := 0
	for i := 0; status != http.StatusServiceUnavailable; i++ {
		if i > 500 {
			t.Fatal("the budget is not used up")
		}
		time.Sleep(10 * time.Millisecond)
		status, _ = post("/", func(*http.Request) {})
	}
	_, text := post("/osmp", func(r *http.Request) { r.SetBasicAuth("kicb", "terminal's word") })
	if !strings.Contains(text, "<result>5</result>") {
		t.Errorf("a terminal that asks for an unknown number is answered %s", text)
	}
}

// TestSlowBodyTimesOut checks that an incomplete body is answered 408 before the
// server's own timeout.
func TestSlowBodyTimesOut(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newApp(t).server)
	t.Cleanup(server.Close)
	conn := postIncomplete(t, server, 100)
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusRequestTimeout || !answer.Close {
		t.Errorf("answered %d, closing: %v", answer.StatusCode, answer.Close)
	}
}
