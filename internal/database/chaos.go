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

// This file is compiled into the program of the chaos tests only (build tag
// chaos). CHAOS_COMMITS names an address that is told of each commit on
// SQLite and may kill us before it answers; CHAOS_CLOCK a file that says how
// far the clock is off, as a duration.
func init() {
	at := os.Getenv("CHAOS_COMMITS")
	if at == "" {
		return
	}
	sqlite3.AutoExtension(func(c *sqlite3.Conn) error {
		c.WALHook(func(*sqlite3.Conn, string, int) error {
			tell(at)
			return nil
		})
		return nil
	})
}

// tell waits for the answer, or for death.
func tell(at string) {
	conn, err := net.Dial("tcp", at)
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.ReadAll(conn)
}

func systemClock() time.Time {
	now := time.Now()
	if file := os.Getenv("CHAOS_CLOCK"); file != "" {
		if text, err := os.ReadFile(file); err == nil {
			if off, err := time.ParseDuration(strings.TrimSpace(string(text))); err == nil {
				return now.Add(off)
			}
		}
	}
	return now
}
