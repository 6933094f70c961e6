package ledger

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// Every error class in every state: the whole retry policy.
func TestRetryPolicy(t *testing.T) {
	lost := fault.New(fault.Unknown, "database.commit", "").Because(errors.New("connection reset"))
	deadlock := fault.New(fault.Unavailable, "database.tx", "").Because(&pgconn.PgError{Code: "40P01"})
	unreachable := fault.New(fault.Unavailable, "database.tx", "").Because(errors.New("connection refused"))
	duplicate := fmt.Errorf("insert: %w", gorm.ErrDuplicatedKey)
	changed := fmt.Errorf("update: %w: 1 of 2", database.ErrRowCount)
	other := errors.New("a rider's error")
	const last = maxTries - 1
	for _, test := range []struct {
		name       string
		err        error
		try        int
		optimistic bool
		unknown    bool // an earlier try left its commit unknown
		want       action
	}{
		{"lost commit, optimistic", lost, 0, true, false, retry},
		{"lost commit, pessimistic", lost, 1, false, false, retry},
		{"lost commit after another", lost, 2, false, true, retry},
		{"lost commit, last try", lost, last, false, false, fail},
		{"lost commit after another, last try", lost, last, false, true, fail},

		{"contended, optimistic", deadlock, 0, true, false, split},
		{"contended, pessimistic", deadlock, 1, false, false, split},
		{"contended after a lost commit", deadlock, 1, false, true, retry},
		{"contended, last try", deadlock, last, false, false, split},
		{"contended after a lost commit, last try", deadlock, last, false, true, fail},

		{"unavailable, optimistic", unreachable, 0, true, false, fail},
		{"unavailable, pessimistic", unreachable, 1, false, false, fail},
		{"unavailable after a lost commit", unreachable, 1, false, true, retry},
		{"unavailable, last try", unreachable, last, false, false, fail},
		{"unavailable after a lost commit, last try", unreachable, last, false, true, fail},

		{"duplicate key, optimistic", duplicate, 0, true, false, retry},
		{"duplicate key, pessimistic", duplicate, 1, false, false, retry},
		{"duplicate key after a lost commit", duplicate, 1, false, true, retry},
		{"duplicate key, last try", duplicate, last, false, false, split},
		{"duplicate key after a lost commit, last try", duplicate, last, false, true, fail},

		{"row count, optimistic", changed, 0, true, false, retry},
		{"row count, pessimistic", changed, 1, false, false, retry},
		{"row count after a lost commit", changed, 1, false, true, retry},
		{"row count, last try", changed, last, false, false, split},
		{"row count after a lost commit, last try", changed, last, false, true, fail},

		{"other error, optimistic", errNotOptimistic, 0, true, false, retry},
		{"other error, pessimistic", other, 1, false, false, split},
		{"other error after a lost commit", other, 1, false, true, fail},
		{"other error, last try", other, last, false, false, split},
		{"other error after a lost commit, last try", other, last, false, true, fail},
	} {
		t.Run(test.name, func(t *testing.T) {
			class := classify(test.err)
			state := stateOf(test.try, test.optimistic, test.unknown || class == outcomeUnknown)
			if got := actions[class][state]; got != test.want {
				t.Errorf("action %d for class %d in state %d, want %d", got, class, state, test.want)
			}
		})
	}
}

func TestFailure(t *testing.T) {
	duplicate := fmt.Errorf("insert: %w", gorm.ErrDuplicatedKey)
	for name, test := range map[string]struct {
		err     error
		unknown bool
		want    fault.Kind
	}{
		"duplicate key":                     {duplicate, false, fault.Conflict},
		"duplicate key after a lost commit": {duplicate, true, fault.Unknown},
		"other error":                       {errors.New("a rider's error"), false, fault.Internal},
		"a rider's refusal":                 {fault.New(fault.Limit, "rider", ""), false, fault.Limit},
	} {
		if err := failure(test.err, test.unknown); !fault.Is(err, test.want) || !errors.Is(err, test.err) {
			t.Errorf("%s: got %v, want %s", name, err, test.want)
		}
	}
}
