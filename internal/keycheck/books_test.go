package keycheck_test

import (
	"sync"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/keycheck"
)

// The keys of the books may be added to, while the one that signs is among them.
func TestBooksKeysRotate(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		for i, c := range []struct {
			ids     []string
			refused bool
		}{
			{nil, false},                     // nothing is recorded
			{[]string{"old"}, false},         // the first key
			{[]string{"other"}, true},        // swapped
			{nil, true},                      // lost
			{[]string{"old", "new"}, false},  // prepared
			{[]string{"new", "old"}, false},  // rotated on the first portal
			{[]string{"old", "new"}, false},  // another portal, restarted before it got the file
			{[]string{"old"}, true},          // one that was left out
			{[]string{"new"}, false},         // the old one isn't needed to sign
			{[]string{"third", "old"}, true}, // without the one that signs
		} {
			for _, err := range []error{keycheck.RecordBooks(t.Context(), db, c.ids), keycheck.VerifyBooks(t.Context(), db, c.ids)} {
				names := wrong(t, err)
				if refused := len(names) == 1 && names[0] == keycheck.Books; refused != c.refused {
					t.Errorf("%d: %v: refused %v", i, c.ids, names)
				}
			}
		}
	})
}

func TestConcurrentStartsRecordOneBooksKey(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		var all sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			all.Go(func() { errs[i] = keycheck.RecordBooks(t.Context(), db, []string{string(rune('a' + i))}) })
		}
		all.Wait()
		passed := 0
		for _, err := range errs {
			if len(wrong(t, err)) == 0 {
				passed++
			}
		}
		if passed != 1 {
			t.Errorf("%d starts passed", passed)
		}
	})
}
