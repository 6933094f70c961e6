package testkit

import (
	"sync/atomic"
	"time"

	"elsom/internal/database"
)

// Clock is the machine's clock plus what a test adds to it. The zero value is
// ready for use.
type Clock struct{ ahead atomic.Int64 }

// Now returns the time.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Advance moves the clock by d.
func (c *Clock) Advance(d time.Duration) { c.ahead.Add(int64(d)) }

// Option makes a database use the clock.
func (c *Clock) Option() database.Option { return database.WithClock(c.Now) }
