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

// PostgreSQL gives two portals only four connections between them while many
// press at once, then none answers for seconds since somebody holds a lock on
// the books: people wait or are told to come back, and nothing is lost.
func TestFewConnections(t *testing.T) {
	t.Parallel()
	server := system.NewPostgres(t)
	owner := databasetest.Reopen(t, server.Address("elsom"))
	command := func(statement string) {
		t.Helper()
		if _, err := owner.Pool().Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	command("CREATE ROLE elsom LOGIN")
	command("ALTER DATABASE elsom OWNER TO elsom")
	d := newDisaster(t, strings.Replace(server.Address("elsom"), "postgres@", "elsom@", 1), 2, size(2, 6))
	d.books = owner
	n := size(100, 300)

	orders := d.drafts(n)
	command("ALTER ROLE elsom CONNECTION LIMIT 4")
	command("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'elsom'")
	few, ok := "", false
	for tries := 0; !ok && tries < 5; tries++ { // people press again
		d.pressAll(orders)
		few, ok = d.tally(), slices.ContainsFunc(orders, func(a *act) bool { return a.told == isOK })
	}
	if !ok {
		t.Error("nobody could pay over four connections")
	}
	command("ALTER ROLE elsom CONNECTION LIMIT -1")
	d.askAgain(orders)

	orders = d.drafts(n)
	lock, err := owner.Pool().Begin()
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
		if a.told != isOK {
			t.Errorf("who waited for the lock was told %s", strings.Join(a.was, ", "))
		}
	}
	d.settle()
	d.compare()
	d.told("four connections: %s; at the end, behind the lock too: %s", few, d.tally())
}

// pressAll presses «Оплатить» for all at once.
func (d *disaster) pressAll(orders []*act) {
	var all sync.WaitGroup
	for _, a := range orders {
		s := d.any()
		all.Go(func() { d.press(s, a) })
	}
	all.Wait()
}

// Hundreds of clients send byte by byte, and hundreds never read what they
// asked for. Payments go on as if they were not there, and the portal does not
// keep them for ever.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	d := newDisaster(t, databasetest.Addresses(t)["postgres"], 1, size(2, 6))
	slow := size(100, 400)
	crowd := &crowd{address: strings.TrimPrefix(d.BaseURL, "http://"), over: make(chan struct{})}
	for i := range slow {
		if i%2 == 0 {
			crowd.all.Go(crowd.drip)
		} else {
			crowd.all.Go(crowd.deaf)
		}
	}
	crowd.wait(t, slow)
	orders := d.drafts(size(60, 300))
	d.pressAll(orders)
	for _, a := range orders {
		if a.told != isOK {
			t.Errorf("beside slow clients somebody was told %s", strings.Join(a.was, ", "))
		}
	}
	d.Portal.WaitHealthy(t, d.BaseURL)
	if *long { // the portal's own bounds are half a minute and a minute
		crowd.all.Wait()
		d.told("the portal has closed all %d connections of the slow", slow)
	}
	close(crowd.over)
	crowd.all.Wait()
	d.settle()
	d.compare()
	d.told("%d slow clients; %s", slow, d.tally())
}

// crowd is many bad clients of one portal.
type crowd struct {
	address string
	over    chan struct{}
	all     sync.WaitGroup
	mu      sync.Mutex
	inside  int
}

func (c *crowd) enter() (net.Conn, error) {
	// Room for little, so that the portal's answers stay at the portal.
	narrow := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(socket uintptr) {
			_ = syscall.SetsockoptInt(int(socket), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
		})
	}}
	conn, err := narrow.Dial("tcp", c.address)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inside++
	return conn, err
}

// wait waits until so many have come.
func (c *crowd) wait(t *testing.T, n int) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(10 * time.Millisecond) {
		c.mu.Lock()
		inside := c.inside
		c.mu.Unlock()
		if inside >= n {
			return
		}
	}
	t.Fatal("the crowd never came")
}

// drip sends a request byte by byte until it is thrown out.
func (c *crowd) drip() {
	conn, err := c.enter()
	if err != nil {
		return
	}
	defer conn.Close()
	request := "POST /osmp HTTP/1.1\r\nHost: " + c.address + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n"
	for i := 0; ; i++ {
		letter := "x" // of the body, at last
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

// deaf asks for far more pages than fit on the way, and reads none.
func (c *crowd) deaf() {
	conn, err := c.enter()
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
