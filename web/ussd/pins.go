package ussd

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/ratelimit"
)

// RateLimiter counts events by rule and subject; *ratelimit.Counters implements it.
type RateLimiter interface {
	Take(ctx context.Context, rule ratelimit.Rule, subject string) error
}

// wrongPINRule is the number of wrong PINs, typing errors excluded, after which a
// gateway is slowed down. Without it a stolen gateway password would allow a few
// guesses for each of many numbers without locking any PIN.
var wrongPINRule = ratelimit.Rule{Name: "wrong PINs by gateway", Limit: 200, Window: 10 * time.Minute, Always: true}

// A gateway that is slowed down may try one PIN each pinPause. A caller that would
// have to wait longer than pinWait is asked to try again.
const (
	pinPause = 2 * time.Second
	pinWait  = 5 * time.Second
)

// triesPIN has the operations that verify a PIN.
var triesPIN = map[Op]bool{opPay: true, opTransfer: true, opBalance: true, opListOperations: true, opProvePIN: true}

// pinThrottle slows down gateways with many wrong PINs.
type pinThrottle struct {
	limits RateLimiter // nil: nothing is counted
	now    func() time.Time
	log    *slog.Logger

	mu    sync.Mutex
	slow  map[string]slowdown // by gateway
	wrong map[string]int64    // in this process, by gateway
	right map[string]int      // right PINs not yet used by excused, by gateway
}

func newPINThrottle(limits RateLimiter, now func() time.Time, log *slog.Logger) *pinThrottle {
	return &pinThrottle{limits: limits, now: now, log: log, slow: map[string]slowdown{}, wrong: map[string]int64{}, right: map[string]int{}}
}

// For each rightPerError right PINs of a gateway in this process one wrong PIN is
// taken for a typing error and not counted: the callers of a whole country make
// more typing errors in ten minutes than the limit allows. Right PINs are stored
// for at most maxErrors errors.
const (
	rightPerError = 10
	maxErrors     = 200
)

// excused reports whether the right PINs of a gateway excuse one more wrong PIN,
// and uses them up for it. The caller holds the lock.
func (p *pinThrottle) excused(gateway string) bool {
	if p.right[gateway] < rightPerError {
		return false
	}
	p.right[gateway] -= rightPerError
	return true
}

// slowdown is the end of a gateway's slowdown, and when its next PIN may be tried.
type slowdown struct{ until, next time.Time }

// wait delays a PIN of a gateway that is slowed down. It returns fault.Unavailable
// if the wait would be longer than pinWait.
func (p *pinThrottle) wait(ctx context.Context, gateway string) error {
	p.mu.Lock()
	now := p.now()
	s, found := p.slow[gateway]
	if !found || !now.Before(s.until) {
		delete(p.slow, gateway)
		p.mu.Unlock()
		return nil
	}
	at := s.next
	if at.Before(now) {
		at = now
	}
	after := at.Sub(now)
	if after <= pinWait {
		s.next = at.Add(pinPause)
		p.slow[gateway] = s
	}
	p.mu.Unlock()
	if after > pinWait {
		return fault.New(fault.Unavailable, "ussd.pin", "").After(after).Because(errors.New("the gateway is slowed down after many wrong PINs"))
	}
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "ussd.pin", "").Because(ctx.Err())
	}
}

// record counts the outcome of an operation that verified a PIN.
func (p *pinThrottle) record(ctx context.Context, gateway string, err error) {
	p.mu.Lock()
	if err == nil {
		p.right[gateway] = min(p.right[gateway]+1, maxErrors*rightPerError)
	}
	if !errors.Is(err, customer.ErrWrongPIN) {
		p.mu.Unlock()
		return
	}
	p.wrong[gateway]++
	excused := p.excused(gateway)
	p.mu.Unlock()
	//mutant:replace if excused || p => if excused = false; excused || p TestTypingErrorsAreNotCounted
	if excused || p.limits == nil {
		return
	}
	//mutant:replace p.limits.Take(ctx, wrongPINRule, gateway) => nil ./web TestGatewayWithManyWrongPINsIsSlowedDown
	err = p.limits.Take(ctx, wrongPINRule, gateway)
	if err == nil {
		return
	}
	if !fault.Is(err, fault.TooMany) {
		p.log.WarnContext(ctx, "ussd: wrong PIN not counted", "gateway", gateway, "error", err)
		return
	}
	after := fault.As(err).RetryAfter
	p.mu.Lock()
	now := p.now()
	s, known := p.slow[gateway]
	if !known || !now.Before(s.until) {
		s = slowdown{next: now}
		p.log.WarnContext(ctx, "ussd: gateway slowed down after many wrong PINs", "gateway", gateway, "for_seconds", int(after.Seconds()))
	}
	s.until = now.Add(after)
	p.slow[gateway] = s
	p.mu.Unlock()
}

// WrongPINs returns the number of wrong PINs entered through each gateway, in this
// process.
func (h *Handler) WrongPINs() map[string]int64 {
	h.pins.mu.Lock()
	defer h.pins.mu.Unlock()
	return maps.Clone(h.pins.wrong)
}
