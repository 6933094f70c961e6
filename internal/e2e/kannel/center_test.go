package kannel_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/testkit/system"
)

// smsCenter is a carrier's message center (testdata/smsc.js).
type smsCenter struct {
	t      testing.TB
	orders io.Writer
	mu     sync.Mutex
	events []event
}

// event is what the center reports.
type event struct {
	Event, Link, To, From, Text, Service, Session string
	Parts, Coding, Op, Status                     int
}

func newSMSCenter(t testing.TB, port, password string) *smsCenter {
	t.Helper()
	script, err := filepath.Abs("testdata/smsc.js")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", script, port, password)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(system.Root(), ".ci", "node_modules"))
	orders, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, teller := io.Pipe()
	cmd.Stdout = teller
	c := &smsCenter{t: t, orders: orders}
	system.Launch(t, "centre", cmd)
	t.Cleanup(func() { _ = orders.Close(); _ = out.Close() })
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Errorf("the center printed %s", lines.Text())
			}
			c.mu.Lock()
			c.events = append(c.events, e)
			c.mu.Unlock()
		}
	}()
	c.waitEvent(0, "to listen", func(e event) bool { return e.Event == "listening" })
	return c
}

// command gives an order and gives the number of events before it.
func (c *smsCenter) command(fields map[string]any) (before int) {
	c.t.Helper()
	before = c.count()
	line, err := json.Marshal(fields)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.orders.Write(append(line, '\n')); err != nil {
		c.t.Fatal(err)
	}
	c.waitEvent(before, "to obey", func(e event) bool { return e.Event == "done" })
	return before
}

func (c *smsCenter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.events)
}

// since gives the events from a number on.
func (c *smsCenter) since(before int) []event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]event(nil), c.events[before:]...)
}

// waitEvent waits for an event after so many.
func (c *smsCenter) waitEvent(before int, what string, like func(e event) bool) event {
	c.t.Helper()
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(10 * time.Millisecond) {
		for _, e := range c.since(before) {
			if like(e) {
				return e
			}
		}
	}
	c.t.Fatalf("the center got no event %s; since then: %+v", what, c.since(before))
	return event{}
}

// waitMessage waits for a message to a number whose text holds the words.
func (c *smsCenter) waitMessage(before int, phone, words string) event {
	c.t.Helper()
	return c.waitEvent(before, "for "+words, func(e event) bool {
		return e.Event == "message" && e.To == strings.TrimPrefix(phone, "+") && strings.Contains(e.Text, words)
	})
}

// countMessages counts those whose text holds the words.
func (c *smsCenter) countMessages(words string) (n int) {
	for _, e := range c.since(0) {
		if e.Event == "message" && strings.Contains(e.Text, words) {
			n++
		}
	}
	return n
}
