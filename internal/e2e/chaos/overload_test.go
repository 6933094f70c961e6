package chaos_test

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// TestFewConnections limits two portals to four connections together while many
// payments arrive at once, then locks the books for seconds: requests wait or are
// refused, and no payment is lost.
func TestFewConnections(t *testing.T) {
	t.Parallel()
	server := system.NewPostgres(t)
	superuser := databasetest.Reopen(t, server.Address("elsom"))
	command := func(statement string) {
		t.Helper()
		if _, err := superuser.Pool().Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	d := newScenario(t, server.ServingAddress("elsom"), 2, scale(2, 6))
	d.books = superuser // its connections are not limited
	n := scale(100, 300)

	orders := d.drafts(n)
	command("ALTER ROLE elsom CONNECTION LIMIT 4")
	command("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'elsom'")
	few, ok := "", false
	for tries := 0; !ok && tries < 5; tries++ { // as customers do
		d.pressAll(orders)
		few, ok = d.summary(), slices.ContainsFunc(orders, func(a *order) bool { return a.outcome == gotAccepted })
	}
	if !ok {
		t.Error("no payment was accepted over four connections")
	}
	command("ALTER ROLE elsom CONNECTION LIMIT -1")
	d.pressAgain(orders)

	orders = d.drafts(n)
	lock, err := superuser.Pool().Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback() }()
	if _, err := lock.Exec("LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() { d.pressAll(orders) })
	time.Sleep(3 * time.Second)
	if err := lock.Commit(); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	for _, a := range orders {
		if a.outcome != gotAccepted {
			t.Errorf("a payment that waited for the lock was answered %s", strings.Join(a.answers, ", "))
		}
	}
	d.waitEnded()
	d.compareBooks()
	d.report("four connections: %s; at the end, behind the lock too: %s", few, d.summary())
}

// pressAll sends all orders at once.
func (d *scenario) pressAll(orders []*order) {
	var all sync.WaitGroup
	for _, a := range orders {
		s := d.anyPortal()
		all.Go(func() { d.press(s, a) })
	}
	all.Wait()
}

// TestSlowClients has hundreds of clients that send byte by byte, and hundreds
// that never read the response. Payments are not affected, and the portal closes
// those connections.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	d := newScenario(t, databasetest.Addresses(t)["postgres"], 1, scale(2, 6))
	slow := scale(100, 400)
	clients := &slowClients{address: strings.TrimPrefix(d.BaseURL, "http://"), over: make(chan struct{})}
	for i := range slow {
		if i%2 == 0 {
			clients.all.Go(clients.sendByteByByte)
		} else {
			clients.all.Go(clients.neverRead)
		}
	}
	clients.waitConnected(t, slow)
	orders := d.drafts(scale(60, 300))
	d.pressAll(orders)
	for _, a := range orders {
		if a.outcome != gotAccepted {
			t.Errorf("beside slow clients a payment was answered %s", strings.Join(a.answers, ", "))
		}
	}
	d.Portal.WaitHealthy(t, d.BaseURL)
	if *full { // the portal's timeouts are half a minute and a minute
		clients.all.Wait()
		d.report("the portal has closed all %d slow connections", slow)
	}
	close(clients.over)
	clients.all.Wait()
	d.waitEnded()
	d.compareBooks()
	d.report("%d slow clients; %s", slow, d.summary())
}

// slowClients are connections to one portal.
type slowClients struct {
	address   string
	over      chan struct{}
	all       sync.WaitGroup
	mu        sync.Mutex
	connected int
}

func (c *slowClients) connect() (net.Conn, error) {
	// A small receive buffer, so that responses fill the portal's send buffer.
	narrow := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(socket uintptr) {
			_ = syscall.SetsockoptInt(int(socket), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
		})
	}}
	conn, err := narrow.Dial("tcp", c.address)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.connected++
	return conn, err
}

// waitConnected waits until n are connected.
func (c *slowClients) waitConnected(t *testing.T, n int) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(10 * time.Millisecond) {
		c.mu.Lock()
		inside := c.connected
		c.mu.Unlock()
		if inside >= n {
			return
		}
	}
	t.Fatal("the slow clients did not connect")
}

// sendByteByByte sends a request byte by byte until the connection is closed.
func (c *slowClients) sendByteByByte() {
	conn, err := c.connect()
	if err != nil {
		return
	}
	defer conn.Close()
	request := "POST /osmp HTTP/1.1\r\nHost: " + c.address + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n"
	for i := 0; ; i++ {
		letter := "x" // of the body, after the header
		if i < len(request) {
			letter = request[i : i+1]
		}
		if _, err := io.WriteString(conn, letter); err != nil {
			return
		}
		select {
		case <-c.over:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// neverRead requests more pages than fit into the buffers, and reads none.
func (c *slowClients) neverRead() {
	conn, err := c.connect()
	if err != nil {
		return
	}
	defer conn.Close()
	pages := strings.Repeat("GET /offer HTTP/1.1\r\nHost: "+c.address+"\r\n\r\n", 200)
	for {
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := io.WriteString(conn, pages); err != nil {
			var timeout net.Error
			if !errors.As(err, &timeout) || !timeout.Timeout() {
				return
			}
		}
		select {
		case <-c.over:
			return
		default:
		}
	}
}
