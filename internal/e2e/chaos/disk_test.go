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

// The disk under SQLite is full amid payments, and has room again. Whoever asks
// meanwhile is told so; what was accepted stays.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	// A disk of our own: filling the machine's would be felt by everybody.
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=24m"); err != nil {
		if os.Getuid() == 0 && *long {
			t.Fatalf("no small disk can be mounted: %v", err)
		}
		t.Logf("not tried: a small disk can be mounted by root only, and here: %v", err)
		return
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	d := newDisaster(t, "sqlite:"+filepath.Join(folder, "elsom.db"), 1, size(2, 6))
	refused := 0
	times := size(1, 3)
	for range times {
		refused += d.fillUp(filepath.Join(folder, "ballast"), size(200, 400))
	}
	d.settle()
	d.compare()
	d.told("%d times full, %d presses were not taken then; %s", times, refused, d.tally())
	d.books.Close()
	d.Portal.Stop(syscall.SIGTERM)
}

// fillUp lets the disk be full until a few presses were not taken, and gives
// their number.
func (d *disaster) fillUp(ballast string, presses int) (refused int) {
	d.t.Helper()
	orders := d.drafts(presses)
	full := takeAllRoom(d.t, ballast)
	for start := 0; start < len(orders); start += 40 {
		var all sync.WaitGroup
		var mu sync.Mutex
		for _, a := range orders[start:min(start+40, len(orders))] {
			all.Go(func() {
				if d.press(d.Site, a) != isOK {
					mu.Lock()
					refused++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		full.more()
	}
	if refused == 0 {
		d.t.Errorf("nobody felt the full disk")
	}
	// Nor is anything new begun, and the page says so, unless SQLite's log has just
	// been emptied: then a little fits into the room that it has.
	status, _, page, err := d.holders[0].post(d.Site, "/pay/dostek", url.Values{"account": {system.NewPerson().INN}, "amount": {"1,00"}})
	if err != nil || (status != http.StatusServiceUnavailable && status != http.StatusSeeOther) {
		d.t.Errorf("a new payment on a full disk: %d, %v: %.300s", status, err, page)
	}
	if err := full.file.Truncate(0); err != nil {
		d.t.Fatal(err)
	}
	full.file.Close()
	d.Portal.WaitHealthy(d.t, d.BaseURL)
	var again []*act
	for _, a := range orders {
		if a.told != notAsked {
			again = append(again, a)
		}
	}
	d.askAgain(again)
	return refused
}

// fullness is a file that takes all room there is.
type fullness struct {
	t    *testing.T
	file *os.File
}

func takeAllRoom(t *testing.T, path string) *fullness {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	f := &fullness{t, file}
	f.more()
	return f
}

// more takes the room that was left or has come.
func (f *fullness) more() {
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
