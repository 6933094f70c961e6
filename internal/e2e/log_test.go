package e2e_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"elsom/internal/checkpoint"
	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/require"
	"elsom/internal/testkit/system"
)

// checkpointOf returns the published checkpoint; empty if there is none.
func checkpointOf(t *testing.T, s *system.Site) string {
	t.Helper()
	answer, err := http.Get(s.BaseURL + "/checkpoint")
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	switch answer.StatusCode {
	case http.StatusOK:
		if kind := answer.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/plain") || answer.Header.Get("Cache-Control") != "public, max-age=1" {
			t.Errorf("%s, %s", kind, answer.Header.Get("Cache-Control"))
		}
		return string(body)
	case http.StatusNotFound:
		return ""
	}
	t.Fatalf("/checkpoint: %s: %s", answer.Status, body)
	return ""
}

// awaitCheckpoint waits for another checkpoint and stores it in a file.
func awaitCheckpoint(t *testing.T, s *system.Site, before string) (checkpoint, file string) {
	t.Helper()
	require.Eventually(t, "a new checkpoint is published", func() bool {
		checkpoint = checkpointOf(t, s)
		return checkpoint != before && checkpoint != ""
	})
	file = filepath.Join(t.TempDir(), "head.txt")
	require.NoError(t, os.WriteFile(file, []byte(checkpoint), 0o600))
	return checkpoint, file
}

// What is committed is sealed within seconds. An earlier checkpoint is proved to be a
// prefix, also by the public key alone.
func TestLog(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := system.NewSite(t, address)
			_, p := system.NewMember(t, s, "100.00")
			first, file := awaitCheckpoint(t, s, "")
			s.CashIn(t, p.Phone, "200.00")
			second, _ := awaitCheckpoint(t, s, first)
			if !strings.HasPrefix(first, "elsom.development\n") {
				t.Errorf("checkpoint %q", first)
			}
			if out := system.Run(t, s.Env, "audit", "--head"); out.Code != 0 || out.Stdout != second {
				t.Errorf("audit --head: %+v", out)
			}
			if out := system.Run(t, s.Env, "audit", "--compare-head", file); out.Code != 0 || !strings.Contains(out.Stdout, "is a prefix of today's log") {
				t.Errorf("audit --compare-head: %+v", out)
			}
			forged := filepath.Join(t.TempDir(), "forged.txt")
			require.NoError(t, os.WriteFile(forged, []byte(strings.Replace(first, "\n", "\n1", 1)), 0o600))
			for file, want := range map[string]int{forged: 1, filepath.Join(t.TempDir(), "missing"): 2} {
				if out := system.Run(t, s.Env, "audit", "--compare-head", file); out.Code != want {
					t.Errorf("audit --compare-head: %+v, want %d", out, want)
				}
			}
			if out := system.Run(t, []string{"ELSOM_DATABASE_URL=" + s.Database}, "audit", "--compare-head", file); out.Code != 2 {
				t.Errorf("without a key: %+v", out)
			}
			s.Audit(t)
		})
	}
}

// After a restore to an earlier moment the sealer stops and payments go on, until staff
// declare a branch. A checkpoint of what was lost is then known as abandoned.
func TestLogAfterRestore(t *testing.T) {
	t.Parallel()
	metrics := system.FreeAddress(t)
	s := system.NewSQLiteSite(t, "ELSOM_METRICS_LISTEN="+metrics)
	_, p := system.NewMember(t, s, "100.00")
	metric := func(line string) func() bool {
		return func() bool {
			answer, err := http.Get("http://" + metrics + "/metrics")
			require.NoError(t, err)
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			return strings.Contains(string(body), line+"\n")
		}
	}
	require.Eventually(t, "all is sealed", metric("elsom_log_unsealed_records 0"))
	early, earlyFile := awaitCheckpoint(t, s, "")
	backup := filepath.Join(t.TempDir(), "backup.db")
	if out := system.Run(t, s.Env, "backup", backup); out.Code != 0 {
		t.Fatal(out)
	}
	s.CashIn(t, p.Phone, "200.00")
	_, lostFile := awaitCheckpoint(t, s, early)
	s.Portal.Stop(syscall.SIGTERM)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(strings.TrimPrefix(s.Database, "sqlite:") + suffix)
	}
	if out := system.Run(t, s.Env, "restore", backup); out.Code != 0 {
		t.Fatal(out)
	}
	s.Start(t)
	s.CashIn(t, p.Phone, "300.00") // nobody's payment is refused
	require.Eventually(t, "the sealer has stopped", metric("elsom_log_stopped 1"))
	if s.HealthStatus() != http.StatusOK || !strings.Contains(s.Portal.LogTail(), "sealing has stopped") {
		t.Errorf("health %d, log %s", s.HealthStatus(), s.Portal.LogTail())
	}
	if checkpointOf(t, s) != early {
		t.Error("the log was extended")
	}
	if out := system.Run(t, s.Env, "audit", "--compare-head", lostFile); out.Code != 1 || strings.Contains(out.Stderr, "abandoned") {
		t.Errorf("before the branch: %+v", out)
	}
	if out := system.Run(t, s.Env, "log", "branch", "--staff", "Aibek", "--reason", "the disk failed"); out.Code != 0 || !strings.Contains(out.Stdout, "Branch 1 ") {
		t.Fatalf("log branch: %+v", out)
	}
	require.Eventually(t, "the sealer goes on", metric("elsom_log_stopped 0"))
	require.Eventually(t, "the branch is in the checkpoints", func() bool { return strings.HasPrefix(checkpointOf(t, s), "elsom.development/branch-1\n") })
	if out := system.Run(t, s.Env, "log", "branch", "--staff", "Aibek", "--reason", "again"); out.Code != 1 || !strings.Contains(out.Stderr, "needs no new branch") {
		t.Errorf("a second log branch: %+v", out)
	}
	if out := system.Run(t, s.Env, "audit", "--compare-head", lostFile); out.Code != 1 || !strings.Contains(out.Stderr, "abandoned branch") || !strings.Contains(out.Stderr, "the disk failed") {
		t.Errorf("after the branch: %+v", out)
	}
	if out := system.Run(t, s.Env, "audit", "--compare-head", earlyFile); out.Code != 0 {
		t.Errorf("an earlier one: %+v", out)
	}
}

// The receipt that a customer downloads is verified by the public key alone, without the
// database and with no setting of the portal.
func TestVerifyReceipt(t *testing.T) {
	t.Parallel()
	s := system.NewSQLiteSite(t)
	c, _ := system.NewMember(t, s, "1000.00")
	c.OrderPayment("02705199110016", "250,50")
	c.Press("Оплатить")
	c.WaitAttribute("data-payment-status", "completed")
	path := c.URL.Path
	if !c.Offers("Скачать подтверждение") {
		t.Errorf("the receipt doesn't offer its proof: %s", c.Text())
	}
	var text []byte
	require.Eventually(t, "the receipt has its proof", func() bool {
		answer, err := c.HTTP.Get(s.BaseURL + path + "/proof")
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err = io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode == http.StatusOK
	})
	file, forged := filepath.Join(t.TempDir(), "receipt.json"), filepath.Join(t.TempDir(), "forged.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	require.NoError(t, os.WriteFile(forged, []byte(strings.Replace(string(text), `"25050"`, `"99950"`, 1)), 0o600))
	key := publicKey(t)
	keyFile := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(keyFile, []byte(key+"\n"), 0o600))
	for _, run := range []struct {
		arguments []string
		code      int
		says      string
	}{
		{[]string{file, "--key", key}, 0, "to 02705199110016"},
		{[]string{file, "--key-file", keyFile}, 0, "completed"},
		{[]string{forged, "--key", key}, 1, "NOT PROVED: the payment: it was changed"},
		{[]string{file, "--key", "wallet.example+12345678+AAAA"}, 2, "the key"},
		{[]string{file}, 2, "no public key"},
		{[]string{keyFile, "--key", key}, 2, "not a receipt"},
		{[]string{file + ".missing", "--key", key}, 2, "no such file"},
	} {
		out := system.Run(t, nil, append([]string{"verify"}, run.arguments...)...)
		if out.Code != run.code || !strings.Contains(out.Stdout+out.Stderr, run.says) {
			t.Errorf("%v: %+v, want %d and %q", run.arguments, out, run.code, run.says)
		}
	}
}

// What key new --checkpoint prints is a value of ELSOM_CHECKPOINT_KEY as it is.
func TestNewCheckpointKey(t *testing.T) {
	t.Parallel()
	out := system.Run(t, nil, "key", "new", "--checkpoint", "wallet.example")
	keys, err := checkpoint.ParseKeys(out.Stdout)
	if out.Code != 0 || err != nil || !keys.CanSign() || !strings.Contains(out.Stdout, "# "+keys.Public()+"\n") {
		t.Errorf("%d, %v", out.Code, err)
	}
	if out := system.Run(t, nil, "key", "new", "--checkpoint", "two words"); out.Code != 80 || out.Stdout != "" {
		t.Errorf("a bad name: %+v", out)
	}
}

// publicKey returns the public key of development's log.
func publicKey(t *testing.T) string {
	t.Helper()
	private, err := checkpoint.DevelopmentKey([]byte("development only: this secret is known to all the world"))
	require.NoError(t, err)
	return require.Value(checkpoint.ParseKeys(private))(t).Public()
}
