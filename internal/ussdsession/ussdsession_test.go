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

func begun(t *testing.T, db *database.DB) (*ussdsession.Sessions[string], *ussdsession.Session[string]) {
	t.Helper()
	ds, err := ussdsession.New[string](db, ussdsession.Options{Secret: secret, Pepper: pepper, Lease: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if won, err := ds.Create(t.Context(), name, ussdsession.Input{At: db.Now()}, "first"); err != nil || !won {
		t.Fatal(won, err)
	}
	return ds, find(t, ds)
}

func find(t *testing.T, ds *ussdsession.Sessions[string]) *ussdsession.Session[string] {
	t.Helper()
	d, err := ds.Find(t.Context(), name)
	if err != nil || d == nil {
		t.Fatal(d, err)
	}
	return d
}

// many does something eight times at once and tells how many won.
func many(t *testing.T, act func(i int) (bool, error)) int64 {
	t.Helper()
	var won atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			ok, err := act(i)
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

func TestOneAnswerWins(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ds, d := begun(t, db)
		heard := ussdsession.Input{Text: "3", At: db.Now()}
		if n := many(t, func(int) (bool, error) { return ds.Advance(t.Context(), d, heard, "second") }); n != 1 {
			t.Errorf("%d answers were written", n)
		}
		// Not even later, by who looked before.
		if won, err := ds.Advance(t.Context(), d, heard, "late"); err != nil || won {
			t.Error(won, err)
		}
		after := find(t, ds)
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

// What a process remembers is refused where another has gone on, and then
// forgotten.
func TestRecalledDialogueYields(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		here, _ := begun(t, db)
		there, err := ussdsession.New[string](db, ussdsession.Options{Secret: secret, Pepper: pepper})
		if err != nil {
			t.Fatal(err)
		}
		if there.Cached(name) != nil {
			t.Error("recalled what another process wrote")
		}
		old := here.Cached(name)
		if old == nil || old.Content != "first" {
			t.Fatal(old)
		}
		if won, err := there.Advance(t.Context(), find(t, there), ussdsession.Input{Text: "3", At: db.Now()}, "second"); err != nil || !won {
			t.Fatal(won, err)
		}
		if won, err := here.Advance(t.Context(), old, ussdsession.Input{Text: "8", At: db.Now()}, "other"); err != nil || won {
			t.Error(won, err)
		}
		if here.Cached(name) != nil {
			t.Error("what was refused is still recalled")
		}
		if d := find(t, here); d.Content != "second" || !d.Repeats("3") {
			t.Errorf("%s", d.Content)
		}
		recalled := there.Cached(name)
		if recalled == nil || recalled.Content != "second" || !recalled.Repeats("3") {
			t.Fatal(recalled)
		}
		if won, err := here.Acquire(t.Context(), find(t, here)); err != nil || !won {
			t.Fatal(won, err)
		}
		if won, err := there.Acquire(t.Context(), recalled); err != nil || won {
			t.Error(won, err)
		}
		if there.Cached(name) != nil {
			t.Error("what was refused is still recalled")
		}
	})
}

func TestOneClaimWins(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ds, _ := begun(t, db)
		found := make([]*ussdsession.Session[string], 8)
		for i := range found {
			found[i] = find(t, ds)
		}
		var winner atomic.Int64
		if n := many(t, func(i int) (bool, error) {
			won, err := ds.Acquire(t.Context(), found[i])
			if won {
				winner.Store(int64(i))
			}
			return won, err
		}); n != 1 {
			t.Fatalf("%d have claimed it", n)
		}
		if !find(t, ds).Busy() {
			t.Error("nobody is at work")
		}
		heard := ussdsession.Input{Text: "3", At: db.Now()}
		if won, err := ds.Advance(t.Context(), found[(winner.Load()+1)%8], heard, "other"); err != nil || won {
			t.Errorf("somebody else answered: %v, %v", won, err)
		}
		if won, err := ds.Advance(t.Context(), found[winner.Load()], heard, "mine"); err != nil || !won {
			t.Errorf("who has claimed it didn't answer: %v, %v", won, err)
		}
		if d := find(t, ds); d.Busy() || d.Content != "mine" {
			t.Errorf("busy %v, %s", d.Busy(), d.Content)
		}
	})
}

// Who repeats a confirmation after a crash of the database has to find the
// dialogue.
func TestDialoguesOutliveACrash(t *testing.T) {
	db := databasetest.Postgres(t)
	var kind string
	err := db.Pool().QueryRow("SELECT relpersistence FROM pg_class WHERE oid = 'dialogues'::regclass").Scan(&kind)
	if err != nil || kind != "p" {
		t.Errorf("the table of dialogues is of the kind %q (%v)", kind, err)
	}
}

// Who has the secret alone, or the pepper alone, reads no dialogue and finds no
// PIN by trying.
func TestKeysTakeSecretAndPepper(t *testing.T) {
	db := databasetest.SQLite(t)
	ds, _ := begun(t, db)
	other := []byte("another one of thirty-two bytes or more")
	for what, o := range map[string]ussdsession.Options{
		"another pepper": {Secret: secret, Pepper: other}, "another secret": {Secret: other, Pepper: pepper},
	} {
		stranger, err := ussdsession.New[string](db, o)
		if err != nil {
			t.Fatal(err)
		}
		if d, err := stranger.Find(t.Context(), name); d != nil || err != nil {
			t.Errorf("%s finds %v, %v", what, d, err)
		}
		if stranger.Hash("7391") == ds.Hash("7391") {
			t.Errorf("%s gives the same mark", what)
		}
	}
	for what, o := range map[string]ussdsession.Options{"no pepper": {Secret: secret}, "no secret": {Pepper: pepper}} {
		if _, err := ussdsession.New[string](db, o); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}
