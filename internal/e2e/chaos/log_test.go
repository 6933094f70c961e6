package chaos_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elsom/internal/checkpoint"
	"elsom/internal/database"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
	"elsom/internal/testkit/system"
)

// newCheckpointKey returns a private key of checkpoints and its public key.
func newCheckpointKey(t *testing.T) (private, public string) {
	t.Helper()
	private, public, err := checkpoint.NewKey("chaos.test")
	require.NoError(t, err)
	return private, public
}

// saveCheckpoint stores the published checkpoint in a file, as an outside party does.
func saveCheckpoint(t *testing.T, s *system.Site) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "checkpoint")
	require.Eventually(t, "a checkpoint is published", func() bool {
		answer, err := http.Get(s.BaseURL + "/checkpoint")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		return err == nil && answer.StatusCode == http.StatusOK && os.WriteFile(file, text, 0o600) == nil
	})
	return file
}

// sealTries limits the looks at the queue of the log after a fault: sealers run each
// second, and seal at least one batch each.
const sealTries = 40

// checkLog waits until nothing is queued for the log, and checks that each signed row is
// sealed, once, that the books hold by the audit with the portal's keys, and that an
// earlier checkpoint is a prefix of today's log.
func checkLog(t *testing.T, s *system.Site, books *database.DB, earlier string) {
	t.Helper()
	for try := 0; ; try++ {
		size, err := testkit.CheckLog(context.Background(), books)
		if err != nil {
			t.Errorf("the log: %v", err)
		}
		if err != nil || size.Queued == 0 {
			break
		}
		if try == sealTries {
			t.Errorf("%d records are not sealed: %+v", size.Queued, size)
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	audit(t, s)
	if out := s.Command(t, "audit", "--compare-head", earlier); out.Code != 0 || !strings.Contains(out.Stdout, "is a prefix of today's log") {
		t.Errorf("the first checkpoint: %+v", out)
	}
}

// audit proves the books with the portal's keys, also beside running portals.
func audit(t *testing.T, s *system.Site) {
	t.Helper()
	out := s.Command(t, "audit")
	if out.Code != 0 || strings.Contains(out.Stdout, "KEY is not set") || !strings.Contains(out.Stdout, "is as it was signed") {
		t.Errorf("the books don't hold, or not all was checked (%d):\n%s%s", out.Code, out.Stdout, out.Stderr)
	}
}
