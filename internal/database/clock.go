//go:build !chaos

package database

import "time"

// systemClock returns the machine's time.
func systemClock() time.Time { return time.Now() }
