//go:build chaos

package database

import (
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// This file is compiled into the programs of the chaos tests only (build tag chaos).
// Without its two variables it changes nothing.

// CHAOS_COMMITS is a TCP address. After each commit on SQLite is written to the WAL
// the program connects to it and continues when the connection is closed; the test
// may kill the program instead. On PostgreSQL a proxy does the same. A commit goes on
// if the address can't be reached: the test counts the connections.
func init() {
	at := os.Getenv("CHAOS_COMMITS")
	if at == "" {
		return
	}
	sqlite3.AutoExtension(func(c *sqlite3.Conn) error {
		c.WALHook(func(*sqlite3.Conn, string, int) error { // runs after the commit was written
			awaitRelease(at)
			return nil
		})
		return nil
	})
}

// awaitRelease connects to an address and waits until the other side closes the
// connection. It has no timeout: the test decides how long a commit lasts.
func awaitRelease(at string) {
	conn, err := net.Dial("tcp", at)
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.ReadAll(conn)
}

// systemClock returns the time, moved by the duration in the file that CHAOS_CLOCK
// names: "5m" is five minutes ahead. The other builds have it in clock.go.
func systemClock() time.Time {
	now := time.Now()
	if file := os.Getenv("CHAOS_CLOCK"); file != "" {
		if text, err := os.ReadFile(file); err == nil {
			if offset, err := time.ParseDuration(strings.TrimSpace(string(text))); err == nil {
				return now.Add(offset)
			}
		}
	}
	return now
}
