package ussd

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"elsom/internal/customer"
	"elsom/internal/ratelimit"
)

type countedTries int

func (n *countedTries) Take(context.Context, ratelimit.Rule, string) error { *n++; return nil }

// Wrong PINs of a busy gateway are not counted while they are few beside its right
// ones; without right PINs each wrong one is counted.
func TestTypingErrorsAreNotCounted(t *testing.T) {
	counted := new(countedTries)
	p := &pinThrottle{
		limits: counted, now: time.Now, log: slog.New(slog.DiscardHandler),
		slow: map[string]slowdown{}, wrong: map[string]int64{}, right: map[string]int{},
	}
	record := func(gateway string, n int, err error) {
		for range n {
			p.record(t.Context(), gateway, err)
		}
	}
	for range 1000 {
		record("busy", rightPerError, nil)
		record("busy", 1, customer.ErrWrongPIN)
	}
	record("busy", 5, errors.New("insufficient funds"))
	if *counted != 0 {
		t.Errorf("%d of 1000 typing errors are counted", *counted)
	}
	record("stolen", 300, customer.ErrWrongPIN)
	if *counted != 300 {
		t.Errorf("%d of 300 wrong PINs are counted", *counted)
	}
	record("busy", 100*maxErrors*rightPerError, nil)
	*counted = 0
	record("busy", maxErrors+50, customer.ErrWrongPIN)
	if *counted != 50 || p.wrong["busy"] != 1000+maxErrors+50 {
		t.Errorf("after %d right PINs %d wrong ones are counted, want 50", 100*maxErrors*rightPerError, *counted)
	}
}
