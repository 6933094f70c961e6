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
	input  io.Writer // commands for the center
	mu     sync.Mutex
	events []event
}

// event is one line that the center prints.
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
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, stdout := io.Pipe()
	cmd.Stdout = stdout
	c := &smsCenter{t: t, input: input}
	system.Launch(t, "center", cmd)
	t.Cleanup(func() { _ = input.Close(); _ = out.Close() })
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
	c.waitEvent(0, "that it is listening", func(e event) bool { return e.Event == "listening" })
	return c
}

// command sends a command, waits until it is done, and returns the number of events before it.
func (c *smsCenter) command(fields map[string]any) (before int) {
	c.t.Helper()
	before = c.count()
	line, err := json.Marshal(fields)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.input.Write(append(line, '\n')); err != nil {
		c.t.Fatal(err)
	}
	c.waitEvent(before, "that the command is done", func(e event) bool { return e.Event == "done" })
	return before
}

func (c *smsCenter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.events)
}

// since returns the events after the first before.
func (c *smsCenter) since(before int) []event {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]event(nil), c.events[before:]...)
}

// waitEvent waits for an event that matches, after the first before.
func (c *smsCenter) waitEvent(before int, what string, matches func(e event) bool) event {
	c.t.Helper()
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(10 * time.Millisecond) {
		for _, e := range c.since(before) {
			if matches(e) {
				return e
			}
		}
	}
	c.t.Fatalf("no event of the center: %s; since then: %+v", what, c.since(before))
	return event{}
}

// waitMessage waits for a message to a number whose text contains part.
func (c *smsCenter) waitMessage(before int, phone, part string) event {
	c.t.Helper()
	return c.waitEvent(before, "a message with "+part, func(e event) bool {
		return e.Event == "message" && e.To == strings.TrimPrefix(phone, "+") && strings.Contains(e.Text, part)
	})
}

// countMessages counts the messages whose text contains part.
func (c *smsCenter) countMessages(part string) (n int) {
	for _, e := range c.since(0) {
		if e.Event == "message" && strings.Contains(e.Text, part) {
			n++
		}
	}
	return n
}
