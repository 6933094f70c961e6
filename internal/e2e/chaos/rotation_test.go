package chaos_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/signature"
	"elsom/internal/testkit/require"
	"elsom/internal/testkit/system"
)

// TestKeysRotateUnderLoad replaces the key of the books, that of the checkpoints, the
// secret and the pepper, as the handbook says, while two portals take payments and cash.
// Portals are restarted one by one, some by SIGKILL, and on PostgreSQL the answers of
// commits are lost meanwhile. No session ends, every payment ends once, all rows
// verify, the log stays whole, and receipts of each time are proved.
func TestKeysRotateUnderLoad(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRotation(t, name, address)
			stop := r.startLoad()
			r.receipt()
			for _, changes := range r.steps() {
				for _, change := range changes {
					change()
				}
				r.restartAll()
				if len(r.receipts) < 2 {
					r.receipt()
				}
			}
			stop()
			r.lost.off.Store(true)
			r.waitEnded()
			r.receipt()
			r.compareBooks()
			r.verifyReceipts()
			keys := r.count("SELECT COUNT(DISTINCT key_id) FROM payments")
			if keys < 2 {
				t.Errorf("the payments are signed by %d keys", keys)
			}
			r.report("%d restarts, %d by SIGKILL, %d commits lost, payments signed by %d keys; %s", r.restarts, r.kills, r.lost.lost.Load(), keys, r.summary())
		})
	}
}

// rotation is two portals, each with its own copy of the files of keys.
type rotation struct {
	*scenario
	folder          string // of the files that staff change
	oldPublic       string // key of checkpoints
	newPublic       string
	newPrivate      string
	secrets         [2][]string // secret and pepper: before and after
	env             []string    // secrets in force
	lost            *lostCommits
	programs        []*system.Program
	receipts        []string // files
	orders          []*order // of the receipts
	restarts, kills int
}

// lostCommits cuts one of a hundred connections after its commit.
type lostCommits struct {
	random *random
	off    atomic.Bool
	lost   atomic.Int64
}

func (l *lostCommits) reach(string) bool {
	if l.off.Load() || l.random.intN(100) > 0 {
		return true
	}
	l.lost.Add(1)
	return false
}

func newRotation(t *testing.T, name, address string) *rotation {
	t.Helper()
	r := &rotation{folder: t.TempDir(), secrets: [2][]string{
		{system.SecretKey, system.PINPepper},
		{"ELSOM_SECRET_KEY=other-secret-other-secret-other-secret", "ELSOM_PIN_PEPPER=another-pepper-for-tests-of-the-program"},
	}}
	private, public := newCheckpointKey(t)
	r.oldPublic = public
	r.newPrivate, r.newPublic = newCheckpointKey(t)
	r.env = r.secrets[0]
	// Commands that newScenario runs have this key of the books.
	r.write(t, "books", strings.TrimPrefix(system.BooksKey, "ELSOM_BOOKS_KEY=")+"\n")
	r.write(t, "checkpoint", private+"\n")
	r.scenario = newScenario(t, address, 2, scale(2, 4), slices.Concat(r.env, keyFiles(r.folder))...)
	r.lost = &lostCommits{random: r.random}
	for i, s := range r.portals {
		folder := filepath.Join(r.folder, fmt.Sprint(i))
		require.NoError(t, os.Mkdir(folder, 0o700))
		r.copyKeys(folder)
		s.Env = append(s.Env[:len(s.Env):len(s.Env)], keyFiles(folder)...)
		if name == "postgres" {
			s.Env = append(s.Env, "ELSOM_DATABASE_URL="+proxyCommits(t, address, r.lost.reach))
		}
	}
	r.restartAll()
	return r
}

func keyFiles(folder string) []string {
	return []string{"ELSOM_BOOKS_KEY_FILE=" + filepath.Join(folder, "books"), "ELSOM_CHECKPOINT_KEY_FILE=" + filepath.Join(folder, "checkpoint")}
}

func (r *rotation) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(r.folder, name), []byte(text), 0o600))
}

// copyKeys copies the files of keys to the folder of a portal.
func (r *rotation) copyKeys(folder string) {
	for _, name := range []string{"books", "checkpoint"} {
		text, err := os.ReadFile(filepath.Join(r.folder, name))
		require.NoError(r.t, err)
		require.NoError(r.t, os.WriteFile(filepath.Join(folder, name), text, 0o600))
	}
}

// steps returns the changes before each restart of all portals. In a short run the keys
// change together.
func (r *rotation) steps() (steps [][]func()) {
	for _, prepare := range []bool{true, false} {
		changes := []func(){
			func() { r.rotateBooks(prepare) }, func() { r.rotateCheckpoints(prepare) }, func() { r.rotateSecrets(prepare) },
		}
		if !*full {
			steps = append(steps, changes)
			continue
		}
		for len(changes) > 0 {
			i := r.random.intN(len(changes))
			steps = append(steps, changes[i:i+1:i+1])
			changes = slices.Delete(slices.Clone(changes), i, i+1)
		}
	}
	if *full { // once more
		steps = append(steps, []func(){func() { r.rotateBooks(true) }}, []func(){func() { r.rotateBooks(false) }})
	}
	return steps
}

func (r *rotation) rotateBooks(prepare bool) {
	arguments := []string{"key", "rotate", filepath.Join(r.folder, "books")}
	if prepare {
		arguments = append(arguments, "--prepare")
	}
	if out := system.Run(r.t, nil, arguments...); out.Code != 0 {
		r.t.Fatalf("elsom key rotate: %+v", out)
	}
}

// rotateCheckpoints adds the new key, which only verifies, or makes it the first one.
func (r *rotation) rotateCheckpoints(prepare bool) {
	if prepare {
		old, err := os.ReadFile(filepath.Join(r.folder, "checkpoint"))
		require.NoError(r.t, err)
		r.write(r.t, "checkpoint", string(old)+r.newPublic+"\n")
		return
	}
	r.write(r.t, "checkpoint", r.newPrivate+"\n"+r.oldPublic+"\n")
}

func (r *rotation) rotateSecrets(prepare bool) {
	use, other := r.secrets[0], r.secrets[1]
	if !prepare {
		use, other = other, use
	}
	r.env = slices.Clone(use)
	for _, key := range other {
		r.env = append(r.env, strings.Replace(key, "=", "_PREVIOUS=", 1))
	}
}

// restartAll copies the files to the portals, one after the other, and restarts each.
// Both serve for a while between, and the books are proved with the keys of either.
func (r *rotation) restartAll() {
	r.t.Helper()
	for i, s := range r.portals {
		r.copyKeys(filepath.Join(r.folder, fmt.Sprint(i)))
		signal := syscall.SIGTERM
		if r.restarts++; r.random.intN(2) == 0 {
			r.kills++
			signal = syscall.SIGKILL
		}
		s.Portal.Stop(signal)
		s.Env = append(s.Env[:len(s.Env):len(s.Env)], r.env...)
		// A server ends if a connection is lost while it starts.
		r.lost.off.Store(true)
		s.Start(r.t)
		r.lost.off.Store(false)
		r.programs = append(r.programs, s.Portal)
		time.Sleep(time.Duration(r.random.intN(scale(300, 2000))) * time.Millisecond)
		for _, other := range r.portals {
			audit(r.t, other)
		}
	}
	r.Site = r.portals[0] // with the present settings
}

// startLoad makes the customers pay at random portals until stop is called.
func (r *rotation) startLoad() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	calm := (&crashTest{Site: r.Site}).cycleStandIn(r.t, []string{"mode=normal", "mode=slow&seconds=1", "mode=drop-after", "mode=refuse&result=5"})
	for _, c := range r.customers {
		all.Go(func() {
			for ctx.Err() == nil {
				// Payments are accepted faster than this stand-in answers: their receipts
				// would wait behind thousands.
				if r.count("SELECT COUNT(*) FROM payments WHERE state = 'processing'") < 300 {
					r.payOnce(ctx, c)
				}
				time.Sleep(time.Duration(20+r.random.intN(60)) * time.Millisecond)
			}
		})
		all.Go(func() {
			for ctx.Err() == nil {
				r.cashIn(c, 1000)
				time.Sleep(time.Duration(100+r.random.intN(300)) * time.Millisecond)
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); all.Wait(); calm() })
	r.t.Cleanup(stop)
	return stop
}

// payOnce makes a payment and repeats «Оплатить» until it is accepted or the test has
// failed. A portal that is down answers nothing; one that sends the customer to the login
// is an error.
func (r *rotation) payOnce(ctx context.Context, c *customer) (a *order) {
	var err error
	for a == nil && ctx.Err() == nil {
		if a, err = r.draft(r.anyPortal(), c); err != nil {
			if strings.HasPrefix(err.Error(), fmt.Sprintf("no draft: %d", http.StatusSeeOther)) {
				r.t.Errorf("a customer was signed out: %v", err)
				return nil
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	for a != nil && !r.t.Failed() && r.press(r.anyPortal(), a) != gotAccepted {
		if answer := a.answers[len(a.answers)-1]; answer == fmt.Sprintf("refused (%d)", http.StatusSeeOther) {
			r.t.Errorf("a customer was signed out at «Оплатить»: %v", a.answers)
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return a
}

// receipt makes a payment and downloads its receipt with the proof.
func (r *rotation) receipt() {
	r.t.Helper()
	a := r.payOnce(context.Background(), r.customers[0])
	r.orders, r.receipts = append(r.orders, a), append(r.receipts, r.download(a))
}

// download waits for the receipt of a payment that has ended, and stores it in a file.
func (r *rotation) download(a *order) (file string) {
	r.t.Helper()
	file = filepath.Join(r.t.TempDir(), a.draft+".json")
	for begin := time.Now(); time.Since(begin) < 2*time.Minute; time.Sleep(50 * time.Millisecond) {
		answer, err := a.customer.client.Get(r.anyPortal().BaseURL + "/receipt/" + a.draft + "/proof")
		if err != nil {
			continue
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err == nil && answer.StatusCode == http.StatusOK {
			require.NoError(r.t, os.WriteFile(file, text, 0o600))
			return file
		}
	}
	r.t.Fatalf("the payment %s has no receipt", a.draft)
	return ""
}

// verifyReceipts verifies the receipts from before, between and after the rotations, each
// by the key of its time alone, and today's receipt of the first payment by the new key.
func (r *rotation) verifyReceipts() {
	r.t.Helper()
	last := len(r.receipts) - 1
	for _, one := range []struct {
		what, file, key string
		code            int
	}{
		{"first", r.receipts[0], r.oldPublic, 0}, {"first, with the other key", r.receipts[0], r.newPublic, 1},
		{"between", r.receipts[1], r.oldPublic + "\n" + r.newPublic, 0},
		{"last", r.receipts[last], r.newPublic, 0}, {"last, with the other key", r.receipts[last], r.oldPublic, 1},
		{"first, of today", r.download(r.orders[0]), r.newPublic, 0},
	} {
		if out := system.Run(r.t, nil, "verify", one.file, "--key", one.key); out.Code != one.code {
			r.t.Errorf("the receipt %s: %+v, want %d", one.what, out, one.code)
		}
	}
	for _, p := range r.programs {
		log, err := os.ReadFile(p.Log)
		require.NoError(r.t, err)
		if strings.Contains(string(log), "sealing has stopped") {
			r.t.Error("a sealer has stopped")
		}
	}
	list, err := os.ReadFile(filepath.Join(r.folder, "books"))
	require.NoError(r.t, err)
	keys, err := signature.ParseKeys(string(list))
	require.NoError(r.t, err)
	for _, id := range keys.IDs() {
		if n := r.count("SELECT COUNT(*) FROM payments WHERE key_id = '" + id + "'"); n == 0 {
			r.t.Errorf("no payment is signed by %s", id)
		}
	}
}
