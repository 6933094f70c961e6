package chaos_test

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"elsom/internal/testkit/system"
)

// TestDiskFull fills the disk of SQLite during payments and frees it again.
// Requests meanwhile are refused; accepted payments stay.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	// A disk of the test's own, since a full one affects all programs.
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=24m"); err != nil {
		if os.Getuid() == 0 && *full {
			t.Fatalf("no small disk can be mounted: %v", err)
		}
		t.Logf("not run: only root can mount a small disk; here: %v", err)
		return
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	d := newScenario(t, "sqlite:"+filepath.Join(folder, "elsom.db"), 1, scale(2, 6))
	refused := 0
	times := scale(1, 3)
	for range times {
		refused += d.pressOnFullDisk(filepath.Join(folder, "ballast"), scale(320, 400))
	}
	d.waitEnded()
	d.compareBooks()
	d.report("disk %d times full, %d submissions refused then; %s", times, refused, d.summary())
	d.books.Close()
	d.Portal.Stop(syscall.SIGTERM)
}

// pressOnFullDisk sends payments while the disk is full and returns how many were
// not accepted.
func (d *scenario) pressOnFullDisk(ballast string, presses int) (refused int) {
	d.t.Helper()
	orders := d.drafts(presses)
	// Without its WAL SQLite has no room of its own left, in which payments could be written.
	if _, err := d.books.Pool().Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		d.t.Fatal(err)
	}
	full := fillDisk(d.t, ballast)
	for start := 0; start < len(orders); start += 40 {
		var all sync.WaitGroup
		var mu sync.Mutex
		for _, a := range orders[start:min(start+40, len(orders))] {
			all.Go(func() {
				if d.press(d.Site, a) != gotAccepted {
					mu.Lock()
					refused++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		full.fill()
	}
	if refused == 0 {
		d.t.Errorf("no submission was affected by the full disk")
	}
	// A new draft is refused, too, unless SQLite's WAL has just been reset: then a
	// little fits into the file.
	status, _, page, err := d.customers[0].post(d.Site, "/pay/dostek", url.Values{"account": {system.NewPerson().INN}, "amount": {"1,00"}})
	if err != nil || (status != http.StatusServiceUnavailable && status != http.StatusSeeOther) {
		d.t.Errorf("a new payment on a full disk: %d, %v: %.300s", status, err, page)
	}
	if err := full.file.Truncate(0); err != nil {
		d.t.Fatal(err)
	}
	full.file.Close()
	d.Portal.WaitHealthy(d.t, d.BaseURL)
	var again []*order
	for _, a := range orders {
		if a.outcome != notSent {
			again = append(again, a)
		}
	}
	d.pressAgain(again)
	return refused
}

// diskFiller is a file that takes all free space.
type diskFiller struct {
	t    *testing.T
	file *os.File
}

func fillDisk(t *testing.T, path string) *diskFiller {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	f := &diskFiller{t, file}
	f.fill()
	return f
}

// fill takes the free space.
func (f *diskFiller) fill() {
	f.t.Helper()
	block := make([]byte, 4096)
	for begin := time.Now(); time.Since(begin) < time.Minute; {
		_, err := f.file.Write(block)
		if errors.Is(err, syscall.ENOSPC) {
			return
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
}
