package e2e_test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"elsom/internal/testkit/require"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

const (
	otherSecret = "ELSOM_SECRET_KEY=other-secret-other-secret-other-secret"
	otherPepper = "ELSOM_PIN_PEPPER=another-pepper-for-tests-of-the-program"
	otherBooks  = "ELSOM_BOOKS_KEY=another-books-key-for-tests-of-the-program"
)

// With other keys than those of its database, the portal and the commands that use
// keys exit with an error that says what to do, and change nothing.
func TestKeysOfAnotherDatabase(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database := "ELSOM_DATABASE_URL=" + address
			// No keys are recorded before the first start.
			if out := system.Run(t, []string{database}, "migrate"); out.Code != 0 {
				t.Fatal(out.Stderr)
			}
			serves := func(keys ...string) {
				t.Helper()
				listen := system.FreeAddress(t)
				p := system.Start(t, "elsom", append(keys, database, "ELSOM_LISTEN="+listen), "serve")
				p.WaitHealthy(t, "http://"+listen)
				p.Stop(syscall.SIGTERM)
			}
			// Commands record no keys: a wrong one would lock the portal out.
			if out := system.Run(t, []string{otherSecret, otherPepper, database}, "payment", "hanging"); out.Code != 0 {
				t.Errorf("before the first start: %+v", out)
			}
			serves(system.SecretKey, system.PINPepper)
			serves(system.SecretKey, system.PINPepper)

			pool := databasetest.Reopen(t, address).Pool()
			owner := databasetest.Reopen(t, databasetest.OwnerAddress(address)).Pool()
			version := func() (latest int64) {
				require.NoError(t, pool.QueryRow("SELECT MAX(version_id) FROM goose_db_version").Scan(&latest))
				return latest
			}
			for _, command := range [][]string{
				{"serve"}, {"sms", "test", "0700123456"}, {"customer", "pin", "0700123456", "--staff=Test", "--reason=Test"},
			} {
				refusesKeys(t, []string{otherSecret, system.PINPepper}, database, command, "ELSOM_SECRET_KEY")
			}
			refusesKeys(t, []string{system.SecretKey, otherPepper}, database, []string{"serve"}, "ELSOM_PIN_PEPPER")
			refusesKeys(t, []string{system.SecretKey, system.PINPepper, otherBooks}, database, []string{"serve"}, "ELSOM_BOOKS_KEY")
			refuses(t, []string{system.SecretKey, system.PINPepper, "ELSOM_BOOKS_KEY=", database, "ELSOM_LISTEN=" + system.FreeAddress(t)}, "ELSOM_BOOKS_KEY: is not set")
			refusesKeys(t, []string{otherSecret, otherPepper}, database, []string{"serve"}, "ELSOM_SECRET_KEY", "ELSOM_PIN_PEPPER")
			refusesKeys(t, []string{"ELSOM_MODE=development"}, database, []string{"serve"}, "ELSOM_SECRET_KEY", "ELSOM_PIN_PEPPER")
			for _, command := range []string{"migrate", "audit"} { // use no key
				if out := system.Run(t, []string{database}, command); out.Code != 0 {
					t.Errorf("%s: %+v", command, out)
				}
			}

			// A wrong key migrates nothing either.
			latest := version()
			_, err := owner.Exec("DELETE FROM goose_db_version WHERE version_id = $1", latest)
			require.NoError(t, err)
			refuses(t, []string{otherSecret, system.PINPepper, database, "ELSOM_LISTEN=" + system.FreeAddress(t)}, "ELSOM_SECRET_KEY: is not the key")
			if now := version(); now >= latest {
				t.Errorf("version %d after a refused start", now)
			}
			_, err = owner.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES ($1, TRUE)", latest)
			require.NoError(t, err)

			// The documented way to continue after a key is lost.
			_, err = owner.Exec("DELETE FROM server_keys WHERE name = 'secret'")
			require.NoError(t, err)
			serves(otherSecret, system.PINPepper)
			refuses(t, []string{system.SecretKey, system.PINPepper, database, "ELSOM_LISTEN=" + system.FreeAddress(t)}, "ELSOM_SECRET_KEY")
		})
	}
}

// A portal without a key of the books doesn't start where a command has signed rows
// already, although no portal has recorded a key.
func TestServeNeedsTheKeyOfTheBooks(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := []string{system.SecretKey, system.PINPepper, "ELSOM_DATABASE_URL=" + address}
			if out := system.Run(t, env, "migrate"); out.Code != 0 { // signs the catalog
				t.Fatal(out.Stderr)
			}
			keyless := append(env[:3:3], "ELSOM_BOOKS_KEY=", "ELSOM_LISTEN="+system.FreeAddress(t))
			refuses(t, keyless, "ELSOM_BOOKS_KEY: is not set, but the rows of this database are signed")
			var keys int
			require.NoError(t, databasetest.Reopen(t, address).Pool().QueryRow("SELECT COUNT(*) FROM server_keys").Scan(&keys))
			if keys != 0 {
				t.Errorf("%d keys are recorded by a refused start", keys)
			}
		})
	}
}

// refusesKeys checks that a command fails with one line for each of the variables,
// without printing a key.
func refusesKeys(t *testing.T, keys []string, database string, command []string, variables ...string) {
	t.Helper()
	out := system.Run(t, append(keys, database, "ELSOM_LISTEN="+system.FreeAddress(t)), command...)
	lines := strings.Split(problemLines(out.Stderr), "\n")
	if out.Code == 0 || len(lines) != len(variables) {
		t.Errorf("%v with %v: %+v", command, keys, out)
		return
	}
	for i, variable := range variables {
		if !strings.HasPrefix(lines[i], "elsom: "+variable+": is not the key of this database") || !strings.Contains(lines[i], "Set that key again") {
			t.Errorf("%v with %v: %s", command, keys, lines[i])
		}
	}
	for _, key := range keys {
		if _, value, _ := strings.Cut(key, "="); value != "" && strings.Contains(out.Stderr, value) {
			t.Errorf("a value is printed: %s", out.Stderr)
		}
	}
}

// Of two portals with different keys that start at once on an empty database, one
// serves.
func TestTwoKeysOnAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var portals []*system.Program
			var bases []string
			for _, keys := range [][]string{{system.SecretKey, system.PINPepper}, {otherSecret, otherPepper}} {
				listen := system.FreeAddress(t)
				bases = append(bases, "http://"+listen)
				portals = append(portals, system.Start(t, "elsom", append(keys, "ELSOM_LISTEN="+listen, "ELSOM_DATABASE_URL="+address), "serve"))
			}
			var loser, winner *system.Program
			var base string
			select {
			case <-portals[0].Done:
				loser, winner, base = portals[0], portals[1], bases[1]
			case <-portals[1].Done:
				loser, winner, base = portals[1], portals[0], bases[0]
			case <-time.After(time.Minute):
				t.Fatal("both serve")
			}
			if words := loser.LogTail(); loser.Cmd.ProcessState.ExitCode() == 0 || !strings.Contains(words, "ELSOM_SECRET_KEY: is not the key") || !strings.Contains(words, "ELSOM_PIN_PEPPER: is not the key") {
				t.Errorf("the other exited with:\n%s", words)
			}
			winner.WaitHealthy(t, base)
			if answer, err := http.Get(base + "/"); err != nil || answer.StatusCode != http.StatusOK {
				t.Errorf("the other: %v, %v", answer, err)
			} else {
				_ = answer.Body.Close()
			}
		})
	}
}
