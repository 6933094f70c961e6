package ussdsession_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ussdsession"
)

var (
	name   = ussdsession.Name{Gateway: "ussd", Session: "1", Phone: "+996550123456"}
	secret = []byte("a secret of thirty-two bytes or more")
	pepper = []byte("a pepper of thirty-two bytes or more")
)

func created(t *testing.T, db *database.DB) (*ussdsession.Sessions[string], *ussdsession.Session[string]) {
	t.Helper()
	ss, err := ussdsession.New[string](db, ussdsession.Options{Secret: secret, Pepper: pepper, Lease: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if won, err := ss.Create(t.Context(), name, ussdsession.Input{At: db.Now()}, "first"); err != nil || !won {
		t.Fatal(won, err)
	}
	return ss, find(t, ss)
}

func find(t *testing.T, ss *ussdsession.Sessions[string]) *ussdsession.Session[string] {
	t.Helper()
	s, found, err := ss.Find(t.Context(), name)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	return s
}

// concurrently calls op eight times at once and returns how many calls reported true.
func concurrently(t *testing.T, op func(i int) (bool, error)) int64 {
	t.Helper()
	var won atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			ok, err := op(i)
			if err != nil {
				t.Error(err)
			}
			if ok {
				won.Add(1)
			}
		})
	}
	all.Wait()
	return won.Load()
}

func TestOneAdvanceWins(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ss, s := created(t, db)
		in := ussdsession.Input{Text: "3", At: db.Now()}
		if n := concurrently(t, func(int) (bool, error) { return ss.Advance(t.Context(), s, in, "second") }); n != 1 {
			t.Errorf("%d steps were written", n)
		}
		// A later call with the session as it was read before fails too.
		if won, err := ss.Advance(t.Context(), s, in, "late"); err != nil || won {
			t.Error(won, err)
		}
		after := find(t, ss)
		if after.Content != "second" || !after.Repeats("3") || after.Repeats("4") {
			t.Errorf("%s", after.Content)
		}
		for text, want := range map[string]string{"3*14": "14", "3*1*4": "1*4", "3*": ""} {
			if added, ok := after.Suffix(text); !ok || added != want {
				t.Errorf("%s adds %q, %v", text, added, ok)
			}
		}
		for _, text := range []string{"3", "4*1", "31", ""} {
			if added, ok := after.Suffix(text); ok {
				t.Errorf("%s adds %q", text, added)
			}
		}
	})
}

// A cached session that another process has advanced is refused and removed from
// the cache.
func TestStaleCachedSessionIsRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		here, _ := created(t, db)
		there, err := ussdsession.New[string](db, ussdsession.Options{Secret: secret, Pepper: pepper})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := there.Cached(name); ok {
			t.Error("a process has another's step in its cache")
		}
		old, ok := here.Cached(name)
		if !ok || old.Content != "first" {
			t.Fatal(old)
		}
		if won, err := there.Advance(t.Context(), find(t, there), ussdsession.Input{Text: "3", At: db.Now()}, "second"); err != nil || !won {
			t.Fatal(won, err)
		}
		if won, err := here.Advance(t.Context(), old, ussdsession.Input{Text: "8", At: db.Now()}, "other"); err != nil || won {
			t.Error(won, err)
		}
		if _, ok := here.Cached(name); ok {
			t.Error("the refused step is still in the cache")
		}
		if s := find(t, here); s.Content != "second" || !s.Repeats("3") {
			t.Errorf("%s", s.Content)
		}
		cached, ok := there.Cached(name)
		if !ok || cached.Content != "second" || !cached.Repeats("3") {
			t.Fatal(cached)
		}
		if won, err := here.Acquire(t.Context(), find(t, here)); err != nil || !won {
			t.Fatal(won, err)
		}
		if won, err := there.Acquire(t.Context(), cached); err != nil || won {
			t.Error(won, err)
		}
		if _, ok := there.Cached(name); ok {
			t.Error("the refused step is still in the cache")
		}
	})
}

func TestOneRequestAcquires(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ss, _ := created(t, db)
		found := make([]*ussdsession.Session[string], 8)
		for i := range found {
			found[i] = find(t, ss)
		}
		var winner atomic.Int64
		if n := concurrently(t, func(i int) (bool, error) {
			won, err := ss.Acquire(t.Context(), found[i])
			if won {
				winner.Store(int64(i))
			}
			return won, err
		}); n != 1 {
			t.Fatalf("%d requests acquired the session", n)
		}
		if !find(t, ss).Busy() {
			t.Error("an acquired session is not busy")
		}
		in := ussdsession.Input{Text: "3", At: db.Now()}
		if won, err := ss.Advance(t.Context(), found[(winner.Load()+1)%8], in, "other"); err != nil || won {
			t.Errorf("a request without the lease advanced the session: %v, %v", won, err)
		}
		if won, err := ss.Advance(t.Context(), found[winner.Load()], in, "mine"); err != nil || !won {
			t.Errorf("the holder of the lease could not advance the session: %v, %v", won, err)
		}
		if s := find(t, ss); s.Busy() || s.Content != "mine" {
			t.Errorf("busy %v, %s", s.Busy(), s.Content)
		}
	})
}

// The table is logged: a confirmation that is repeated after a crash of the
// database must find its session.
func TestSessionsSurviveACrash(t *testing.T) {
	db := databasetest.Postgres(t)
	var kind string
	err := db.Pool().QueryRow("SELECT relpersistence FROM pg_class WHERE oid = 'dialogues'::regclass").Scan(&kind)
	if err != nil || kind != "p" {
		t.Errorf("relpersistence of dialogues is %q (%v)", kind, err)
	}
}

// Hashes are stored with sessions, which must survive an upgrade.
func TestHashesNeverChange(t *testing.T) {
	ss, err := ussdsession.New[string](databasetest.SQLite(t), ussdsession.Options{Secret: []byte("the server's secret"), Pepper: []byte("pepper")})
	if err != nil {
		t.Fatal(err)
	}
	if got := ss.Hash("name", "қ"); got != "9Bqf5YkdBWOc6n0azL-de3F9kjNywPD9YiJdvL4I7HY" {
		t.Errorf("hash %s", got)
	}
}

// The secret alone or the pepper alone neither finds a session nor computes the
// hash of a PIN.
func TestKeysDependOnSecretAndPepper(t *testing.T) {
	db := databasetest.SQLite(t)
	ss, _ := created(t, db)
	other := []byte("another one of thirty-two bytes or more")
	for what, o := range map[string]ussdsession.Options{
		"another pepper": {Secret: secret, Pepper: other}, "another secret": {Secret: other, Pepper: pepper},
	} {
		wrong, err := ussdsession.New[string](db, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, found, err := wrong.Find(t.Context(), name); found || err != nil {
			t.Errorf("%s finds %v, %v", what, found, err)
		}
		if wrong.Hash("7391") == ss.Hash("7391") {
			t.Errorf("%s: the same hash", what)
		}
	}
	for what, o := range map[string]ussdsession.Options{"no pepper": {Secret: secret}, "no secret": {Pepper: pepper}} {
		if _, err := ussdsession.New[string](db, o); err == nil {
			t.Errorf("%s was accepted", what)
		}
	}
}

// While the secret and the pepper are replaced, a session that one process began goes
// on in another, with whichever keys either of them uses.
func TestSessionsGoOnUnderTheNextKeys(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		nextSecret, nextPepper := []byte("another secret of thirty-two bytes or more"), []byte("another pepper of thirty-two bytes or more")
		built := func(o ussdsession.Options) *ussdsession.Sessions[string] {
			ss, err := ussdsession.New[string](db, o)
			if err != nil {
				t.Fatal(err)
			}
			return ss
		}
		before := built(ussdsession.Options{Secret: secret, Pepper: pepper, PreviousSecret: nextSecret, PreviousPepper: nextPepper})
		after := built(ussdsession.Options{Secret: nextSecret, Pepper: nextPepper, PreviousSecret: secret, PreviousPepper: pepper})
		_, _ = created(t, db)
		for i, ss := range []*ussdsession.Sessions[string]{after, before, after} {
			s, text := find(t, ss), "1*2*3*4"[:2*i+1]
			if !s.Repeats("1*2*3*4"[:max(0, 2*i-1)]) {
				t.Errorf("step %d: the last input is not recognized", i+1)
			}
			if added, ok := s.Suffix(text); !ok || added != text[2*i:] {
				t.Errorf("step %d: suffix %q, %t", i+1, added, ok)
			}
			if won, err := ss.Advance(t.Context(), s, ussdsession.Input{Text: text, At: db.Now()}, text); err != nil || !won {
				t.Fatal(won, err)
			}
			if cached, ok := ss.Cached(name); !ok || cached.Content != text {
				t.Errorf("step %d: cached %v", i+1, cached)
			}
		}
		if !after.Made(before.Hash("pin", "7391"), "pin", "7391") || !after.Made(before.Hash("text")[:ussdsession.ShortHash], "text") {
			t.Error("a hash of the other process is not recognized")
		}
		if after.Made(before.Hash("pin", "7391"), "pin", "7392") || after.Made("", "text") || after.Made(before.Hash("text")[:ussdsession.ShortHash-1], "text") {
			t.Error("a wrong hash is accepted")
		}
	})
}
