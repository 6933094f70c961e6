package e2e_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/testkit/require"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/payment"
	"elsom/internal/signature"
	"elsom/internal/testkit/system"
)

// startPost sends a POST with a Content-Length of size and the first sent bytes of
// its body.
func startPost(t testing.TB, base, path, user, password string, size, sent int) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	request, err := http.NewRequest(http.MethodPost, base+path, nil)
	require.NoError(t, err)
	if user != "" {
		request.SetBasicAuth(user, password)
	}
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nAuthorization: %s\r\n\r\n",
		path, request.Host, size, request.Header.Get("Authorization"))
	_ = conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_, _ = conn.Write(append([]byte(head), bytes.Repeat([]byte("1"), sent)...)) // the server may close the connection before all is sent
	return conn
}

// status reads the response's status; 0 if none arrives in time or if the
// connection stays open.
func status(conn net.Conn) int {
	_ = conn.SetReadDeadline(time.Now().Add(12 * time.Second)) // a body may take longer
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0
	}
	if n, err := conn.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		return 0
	}
	return answer.StatusCode
}

// TestRejectWithoutReadingBody checks that a request with a wrong password, and one
// with a body above the route's limit, are refused without reading the body.
func TestRejectWithoutReadingBody(t *testing.T) {
	t.Parallel()
	s := system.NewSQLiteSite(t)
	const large = 990_000
	var all sync.WaitGroup // requests whose body is read take until the timeout
	for _, c := range []struct {
		path, user, password string
		size, want           int
	}{
		{"/osmp", "", "", 100, 401}, {"/osmp", "kicb", "wrong-password", 100, 401}, {"/osmp", "kicb", "wrong-password", large, 401},
		{"/ussd", "", "", 100, 401}, {"/ussd", "ussd", "wrong-password", 100, 401}, {"/ussd", "ussd", "wrong-password", large, 401},
		{"/ussd/kannel", "", "", 100, 401}, {"/ussd/kannel", "ussd", "wrong-password", large, 401},
		{"/osmp", "kicb", "dev-kicb", 8<<10 + 1, 413}, {"/ussd", "ussd", "dev-ussd", 32<<10 + 1, 413},
		{"/ussd/kannel", "ussd", "dev-ussd", 32<<10 + 1, 413},
		{"/", "", "", 16<<10 + 1, 413}, {"/login", "", "", large, 413}, {"/dev/terminal", "", "", large, 413}, {"/nowhere", "", "", large, 413},
	} {
		conn := startPost(t, s.BaseURL, c.path, c.user, c.password, c.size, 0)
		all.Go(func() {
			if got := status(conn); got != c.want {
				t.Errorf("%s as %q, Content-Length %d: %d, want %d at once and a closed connection", c.path, c.user, c.size, got, c.want)
			}
		})
	}
	all.Wait()
	if t.Failed() { // the rest would time out, too
		return
	}
	// Delivery receipts are GET requests without a body.
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.BaseURL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /sms/dlr?type=1&token=x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
	require.NoError(t, err)
	if got := status(conn); got != http.StatusUnauthorized {
		t.Errorf("a receipt without a password: %d", got)
	}
	// A body of exactly the limit is read and answered by the protocol.
	for path, c := range map[string]struct {
		user, password string
		size           int
	}{"/osmp": {"kicb", "dev-kicb", 8 << 10}, "/ussd": {"ussd", "dev-ussd", 32 << 10}} {
		conn := startPost(t, s.BaseURL, path, c.user, c.password, c.size, c.size)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s with %d bytes: %d", path, c.size, answer.StatusCode)
		}
	}
}

// resident returns the resident memory of a process in MiB.
func resident(t testing.TB, pid int) int64 {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			require.NoError(t, err)
			return kib >> 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// TestMemoryOfIncompleteBodies checks the memory of 300 connections that have sent
// all but one byte of the largest allowed body, and of a far larger one.
func TestMemoryOfIncompleteBodies(t *testing.T) {
	t.Parallel()
	s := system.NewSQLiteSite(t)
	const count, maxMemory = 300, 64 // MiB
	for _, c := range []struct {
		path, user, password string
		size                 int
		refused              bool
	}{
		{"/", "", "", 16 << 10, false},
		{"/ussd", "ussd", "dev-ussd", 32 << 10, false},
		{"/", "", "", 990_000, true},
	} {
		// A first request, so that the password's hash is cached.
		first, err := http.ReadResponse(bufio.NewReader(startPost(t, s.BaseURL, c.path, c.user, c.password, 10, 10)), nil)
		require.NoError(t, err)
		_ = first.Body.Close()
		before := resident(t, s.Portal.Cmd.Process.Pid)
		conns := make([]net.Conn, count)
		var all sync.WaitGroup
		for i := range conns {
			all.Go(func() { conns[i] = startPost(t, s.BaseURL, c.path, c.user, c.password, c.size, c.size-1) })
		}
		all.Wait()
		time.Sleep(500 * time.Millisecond) // until the data has arrived
		cost := resident(t, s.Portal.Cmd.Process.Pid) - before
		t.Logf("%d connections that have sent all but one of %d bytes to %s cost %d MiB", count, c.size, c.path, cost)
		if cost > maxMemory {
			t.Errorf("%d connections that have sent all but one of %d bytes to %s cost %d MiB, want %d at most", count, c.size, c.path, cost, maxMemory)
		}
		answered := 0
		for _, conn := range conns {
			_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
			if n, _ := conn.Read(make([]byte, 1)); n > 0 {
				answered++
			}
			_ = conn.Close()
		}
		if c.refused != (answered == count) || !c.refused && answered > 0 {
			t.Errorf("%d of %d that have sent all but one of %d bytes to %s were answered", answered, count, c.size, c.path)
		}
	}
	s.Portal.WaitHealthy(t, s.BaseURL)
}

// TestMemoryOfPayingConnections checks the peak memory of a portal while a thousand
// connections pay, each with a browser's headers.
func TestMemoryOfPayingConnections(t *testing.T) {
	t.Parallel()
	const payers, presses, maxMemory = 1000, 5, 250 // MB
	s := system.NewSite(t, databasetest.Addresses(t)["postgres"], system.WithoutRateLimits)
	r, _ := system.NewMember(t, s, "5000.00")
	r.OrderPayment(system.NewPerson().INN, "1,00")
	action, values := r.Submission(r.Control("Оплатить"))
	drafts := copyDraft(s, t, strings.TrimPrefix(action, "/check/"), payers)
	at, err := url.Parse(s.BaseURL)
	require.NoError(t, err)
	client := &http.Client{
		Jar:           r.HTTP.Jar,
		Transport:     &http.Transport{MaxConnsPerHost: payers, MaxIdleConnsPerHost: payers},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var all sync.WaitGroup
	for _, draft := range drafts {
		all.Go(func() {
			for range presses {
				request, err := http.NewRequest(http.MethodPost, s.BaseURL+"/check/"+draft, strings.NewReader(values.Encode()))
				if err != nil {
					t.Error(err)
					return
				}
				for name, value := range map[string]string{
					"Content-Type": "application/x-www-form-urlencoded", "Accept-Encoding": "gzip, deflate, br", "Origin": at.String(), "Sec-Fetch-Site": "same-origin",
					"User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
					"Accept":     "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "Accept-Language": "ru-RU,ru;q=0.9,en;q=0.8",
				} {
					request.Header.Set(name, value)
				}
				answer, err := client.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				if answer.StatusCode != http.StatusSeeOther {
					t.Errorf("a payment was answered with %d", answer.StatusCode)
				}
			}
		})
	}
	all.Wait()
	used := system.PeakMemory(s.Portal.Cmd.Process.Pid) << 20 / 1e6
	t.Logf("%d paying connections: %d MB in all", payers, used)
	if used > maxMemory {
		t.Errorf("%d paying connections take %d MB in all, want %d at most", payers, used, maxMemory)
	}
}

// copyDraft returns the ids of n copies of a draft.
func copyDraft(s *system.Site, t testing.TB, draft string, n int) (ids []string) {
	t.Helper()
	books := databasetest.Reopen(t, s.Database)
	keys := require.Value(signature.ParseKeys(strings.TrimPrefix(system.BooksKey, "ELSOM_BOOKS_KEY=")))(t)
	var d payment.Draft
	require.NoError(t, books.Gorm(t.Context()).Raw("SELECT "+database.ColumnsOf[payment.Draft]()+" FROM drafts WHERE id = ?", draft).Scan(&d).Error)
	for i := range n {
		d.ID = books.NewID()
		d.TxnID = fmt.Sprintf("%s%06d", strconv.FormatInt(d.ID, 10)[:13], i)
		mac, keyID := keys.Sign(d.Record())
		_, err := books.Pool().ExecContext(t.Context(), `INSERT INTO drafts
			(id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, channel, made_at, expires_at, mac, key_id)
			SELECT $1, customer_id, service, biller, identifier, payee, amount, fee, $2, channel, made_at, expires_at, $4, $5 FROM drafts WHERE id = $3`,
			d.ID, d.TxnID, draft, mac, keyID)
		require.NoError(t, err)
		ids = append(ids, strconv.FormatInt(d.ID, 10))
	}
	return ids
}
