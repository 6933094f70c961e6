package chaos_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"elsom/internal/testkit/require"

	"elsom/internal/database/databasetest"
)

// PostgreSQL is restored to a point in time during payments, as `elsom help backup`
// says: base backup, archived WAL, recovery_target_time. The books of that time
// hold; open payments are settled under the same txn_id, and later ones are in the
// biller's books only.
func TestPointInTimeRecovery(t *testing.T) {
	t.Parallel()
	server, err := databasetest.StartArchiving()
	require.NoError(t, err)
	t.Cleanup(server.Stop)
	require.NoError(t, server.CreateDatabase("elsom"))
	require.NoError(t, server.Prepare("elsom"))
	d := newScenario(t, server.ServingAddress("elsom"), 1, 2, "ELSOM_CHECKPOINT_FILE="+filepath.Join(t.TempDir(), "witness"))
	ended := d.pay(6)
	base, err := server.BaseBackup()
	require.NoError(t, err)
	t.Cleanup(base.Stop)
	ended = append(ended, d.pay(6)...)

	d.SetStandIn(t, "service", "dostek", "command", "pay", "mode", "silent-after")
	open := d.pressed(6)
	for begin := time.Now(); d.count("SELECT COUNT(*) FROM payment_attempts a JOIN payments p ON p.id = a.payment_id WHERE p.state = 'processing'") < 6; time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("the biller is not called")
		}
	}
	var moment time.Time
	require.NoError(t, d.books.Pool().QueryRow("SELECT clock_timestamp()").Scan(&moment))
	time.Sleep(10 * time.Millisecond)
	d.SetStandIn(t, "service", "dostek", "command", "pay", "mode", "normal")
	later := d.pay(6)
	require.NoError(t, server.WaitArchived())
	d.waitSealed()
	lost := saveCheckpoint(t, d.Site)
	d.Portal.Stop(syscall.SIGKILL)
	server.Kill()

	require.NoError(t, base.RecoverTo(moment))
	d.useDatabase(base.ServingAddress("elsom"))
	if n := d.count("SELECT COUNT(*) FROM payments WHERE state = 'completed'"); n != len(ended) {
		t.Errorf("%d payments are completed, %d were", n, len(ended))
	}
	if n := d.count("SELECT COUNT(*) FROM payments WHERE state = 'processing'"); n != len(open) {
		t.Errorf("%d payments are open, %d were", n, len(open))
	}
	d.auditRestored()
	d.auditRestored("--since=1h")
	d.Start(t)
	d.waitEnded()
	d.auditRestored()
	ours, billers := d.ourBook(), d.billersBook()
	for _, a := range append(ended, open...) {
		p, has := ours[a.draft]
		if wrong := a.mismatch(p, has, billers[a.inn]); wrong != "" || !has {
			t.Errorf("payment %s to %s: %v %s", a.draft, a.inn, has, wrong)
		}
	}
	for _, a := range later {
		if _, has := ours[a.draft]; has || len(billers[a.inn]) != 1 {
			t.Errorf("payment %s came later: in our books %v, at the biller %v", a.draft, has, billers[a.inn])
		}
	}
	if len(d.pay(3)) != 3 {
		t.Error("no payment is accepted")
	}
	d.auditRestored()
	d.branch(lost)
	checkLog(t, d.Site, d.books, d.head)
}

// auditRestored fails the test unless the books hold, and the only violation is that the
// portal's checkpoint file has more than the log.
func (d *scenario) auditRestored(flags ...string) {
	d.t.Helper()
	out := d.Command(d.t, append([]string{"audit"}, flags...)...)
	if out.Code != 1 || strings.Count(out.Stdout, "VIOLATION ") != 1 || !strings.Contains(out.Stdout, "VIOLATION log: compared with the file: ") {
		d.t.Errorf("ended with %d:\n%s%s", out.Code, out.Stdout, out.Stderr)
	}
}

// branch declares that the log continues from the restored state, which the sealer does
// not do by itself, and checks that the lost checkpoint is then known as abandoned.
func (d *scenario) branch(lost string) {
	d.t.Helper()
	if d.count("SELECT COUNT(*) FROM log_queue") == 0 {
		d.t.Error("the restored log was extended")
	}
	if out := d.Command(d.t, "audit", "--compare-head", lost); out.Code != 1 || strings.Contains(out.Stderr, "abandoned") {
		d.t.Errorf("before the branch: %+v", out)
	}
	if out := d.Command(d.t, "log", "branch", "--staff", "Aibek", "--reason", "restored"); out.Code != 0 {
		d.t.Errorf("log branch: %+v", out)
	}
	if out := d.Command(d.t, "audit", "--compare-head", lost); out.Code != 1 || !strings.Contains(out.Stderr, "abandoned branch") {
		d.t.Errorf("after the branch: %+v", out)
	}
}

// waitSealed waits until nothing is queued for the log.
func (d *scenario) waitSealed() {
	d.t.Helper()
	for try := 0; d.count("SELECT COUNT(*) FROM log_queue") > 0; try++ {
		if try == sealTries {
			d.t.Fatal("the log's queue doesn't become empty")
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// pressed sends n payments, all of which must be accepted.
func (d *scenario) pressed(n int) []*order {
	d.t.Helper()
	acts := d.drafts(n)
	for _, a := range acts {
		if d.press(d.anyPortal(), a) != gotAccepted {
			d.t.Errorf("without a fault: %v", a.answers)
		}
	}
	return acts
}

// pay makes n payments and waits until they have ended.
func (d *scenario) pay(n int) []*order {
	d.t.Helper()
	acts := d.pressed(n)
	d.waitEnded()
	return acts
}

// useDatabase makes the portals use another database after their next start.
func (d *scenario) useDatabase(address string) {
	d.t.Helper()
	d.Database = address
	d.Env = append(d.Env[:len(d.Env):len(d.Env)], "ELSOM_DATABASE_URL="+address)
	d.books = databasetest.Reopen(d.t, address)
}
