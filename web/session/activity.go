package session

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"
)

const (
	// storeEvery is the time between two statements that store the times of requests.
	storeEvery = time.Second
	// waitBefore is the time before the end of an idle session within which a request
	// waits until its own time is stored: another process would find the session ended.
	waitBefore = time.Minute
	// maxUnstored is the number of sessions whose last request is not stored yet, at most.
	maxUnstored = 20_000
)

// activity has the times of requests that are not stored yet, by the sessions' handles.
type activity struct {
	mu sync.Mutex
	at map[int64]time.Time
}

// add adds the time of a request. It returns false if there are too many.
func (a *activity) add(handle int64, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	//mutant:replace len(a.at) >= maxUnstored => false TestUnstoredActivityIsBounded
	if _, there := a.at[handle]; !there && len(a.at) >= maxUnstored {
		return false
	}
	if a.at == nil {
		a.at = map[int64]time.Time{}
	}
	a.at[handle] = now
	return true
}

// last returns the time of a session's last request, of which stored is in the database.
func (a *activity) last(handle int64, stored time.Time) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at := a.at[handle]; at.After(stored) {
		return at
	}
	return stored
}

func (a *activity) unstored() map[int64]time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.at)
}

// done removes times that were stored.
func (a *activity) done(stored map[int64]time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.at, func(handle int64, at time.Time) bool { return at.Equal(stored[handle]) })
}

// saw notes the time of a session's request, which Run stores. It is stored at once, and
// waited for, if the session would end within waitBefore.
func (s *Sessions) saw(ctx context.Context, r *row, now time.Time) {
	//mutant:replace now.Sub(r.SeenAt) < Idle-waitBefore && => TestActivityBeforeTheIdleEndIsStoredAtOnce
	if now.Sub(r.SeenAt) < Idle-waitBefore && s.active.add(r.Handle, now) {
		r.SeenAt = now
		return
	}
	if err := s.storeSeen(ctx, map[int64]time.Time{r.Handle: now}); err != nil {
		slog.WarnContext(ctx, "session: last activity not stored", "error", err)
		return
	}
	r.SeenAt = now
}

// Run stores the times of requests until ctx ends, and then those that are left. No request
// waits for it.
func (s *Sessions) Run(ctx context.Context) {
	ticks := time.NewTicker(storeEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			s.storeActivity(context.WithoutCancel(ctx))
			return
		}
		s.storeActivity(ctx)
	}
}

// storeActivity stores the times of requests. What fails is stored with the next ones;
// until then last returns them.
func (s *Sessions) storeActivity(ctx context.Context) {
	all := s.active.unstored()
	if len(all) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := s.storeSeen(ctx, all); err != nil {
		slog.WarnContext(ctx, "session: last activity not stored", "sessions", len(all), "error", err)
		return
	}
	s.active.done(all)
}
