//go:build !chaos

package database

import "time"

// systemClock is the machine's.
func systemClock() time.Time { return time.Now() }
