package database

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

// idSource generates 63-bit ids: 41 bits of milliseconds since 2026, then 22 bits
// that start at random in each millisecond and count up. Ids of one process are
// unique. Two processes that generate an id in the same millisecond collide with
// a probability of one in two million; a unique key then refuses the second
// row, and its transaction is repeated with another id.
type idSource struct {
	mu      sync.Mutex
	ms      int64
	counter int64
}

const (
	idCounterBits = 22
	idCounterMask = 1<<idCounterBits - 1
)

var idEpoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

func newIDSource() *idSource { return &idSource{} }

func (s *idSource) next(now time.Time) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	ms := now.UnixMilli() - idEpoch
	if ms <= s.ms {
		// The same millisecond, or a clock set back: continue from the last id.
		s.counter++
		if s.counter > idCounterMask {
			s.ms, s.counter = s.ms+1, randomCounter()
		}
		return s.ms<<idCounterBits | s.counter
	}
	s.ms, s.counter = ms, randomCounter()
	return s.ms<<idCounterBits | s.counter
}

// randomCounter returns a value in the lower half, to leave room for counting.
func randomCounter() int64 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return int64(binary.BigEndian.Uint32(b[:])) & (idCounterMask >> 1)
}

// FirstID returns the smallest id that can be generated at a time; ids generated
// earlier are smaller, as far as clocks agree. It is 0 before 2026.
func FirstID(at time.Time) int64 { return max(0, at.UnixMilli()-idEpoch) << idCounterBits }

// TimeOfID returns the time at which an id was generated.
func TimeOfID(id int64) time.Time { return time.UnixMilli(id>>idCounterBits + idEpoch).UTC() }
