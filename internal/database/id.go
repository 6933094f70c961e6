package database

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

// idSource draws 63-bit ids: 41 bits of milliseconds since 2026, then 22 bits
// that begin at random in each millisecond and count up. Ids of one process
// never meet; those of two meet about once in four million, and then a unique
// key refuses the second, whose transaction is repeated with a fresh id.
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
		// The same millisecond, or a clock set back: go on from where we are.
		s.counter++
		if s.counter > idCounterMask {
			s.ms, s.counter = s.ms+1, randomCounter()
		}
		return s.ms<<idCounterBits | s.counter
	}
	s.ms, s.counter = ms, randomCounter()
	return s.ms<<idCounterBits | s.counter
}

// randomCounter leaves the upper half free for counting up.
func randomCounter() int64 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return int64(binary.BigEndian.Uint32(b[:])) & (idCounterMask >> 1)
}

// FirstID is the least id that can be drawn at a moment; ids drawn before are
// smaller, as far as the clocks agree. It is 0 before 2026.
func FirstID(at time.Time) int64 { return max(0, at.UnixMilli()-idEpoch) << idCounterBits }
