package main_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"elsom/internal/testkit/system"
)

// Errors say what is wrong and what to do.
func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	env := []string{"ELSOM_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "elsom.db"), "ELSOM_MODE=development"}
	if out := system.Run(t, env, "payment", "hanging"); out.Code == 0 || !strings.Contains(out.Stderr, "`elsom serve` and `elsom migrate` create it") {
		t.Errorf("no database: %d %s", out.Code, out.Stderr)
	}
	if out := system.Run(t, env, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	out := system.Run(t, env, "payment", "decide", "123456789012", "refund", "--staff", "aida", "--reason", "asked")
	if out.Code != 1 || !strings.Contains(out.Stderr, "no payment has the code 123456789012") {
		t.Errorf("an unknown code: %+v", out)
	}
}

// Each generated key for Web Push is valid and new.
func TestVapid(t *testing.T) {
	t.Parallel()
	first, second := system.Run(t, nil, "vapid"), system.Run(t, nil, "vapid")
	if first.Code != 0 || first.Stdout == second.Stdout || len(strings.TrimSpace(first.Stdout)) != 43 {
		t.Errorf("%+v, %+v", first, second)
	}
}

// assetlinks.json is printed with the operator's values; invalid ones are refused.
func TestExampleOfAssetlinks(t *testing.T) {
	t.Parallel()
	fingerprint := strings.TrimSuffix(strings.Repeat("ab:", 32), ":")
	out := system.Run(t, nil, "example", "assetlinks", "--package=kg.elsom.wallet", "--fingerprint="+fingerprint)
	var statements []struct {
		Relation []string
		Target   struct {
			Namespace    string
			Package      string   `json:"package_name"`
			Fingerprints []string `json:"sha256_cert_fingerprints"`
		}
	}
	if err := json.Unmarshal([]byte(out.Stdout), &statements); err != nil || len(statements) != 1 {
		t.Fatalf("%v: %+v", err, out)
	}
	s := statements[0]
	if s.Relation[0] != "delegate_permission/common.handle_all_urls" || s.Target.Namespace != "android_app" || s.Target.Package != "kg.elsom.wallet" ||
		s.Target.Fingerprints[0] != strings.ToUpper(fingerprint) {
		t.Errorf("%+v", s)
	}
	if out := system.Run(t, nil, "example", "assetlinks"); out.Code != 0 || !strings.Contains(out.Stdout, "00:00:") {
		t.Errorf("no place to fill in: %+v", out)
	}
	for _, wrong := range []string{"--package=wallet", "--package=kg..x", "--fingerprint=ab:cd", "--fingerprint=" + fingerprint + ":ab"} {
		if out := system.Run(t, nil, "example", "assetlinks", wrong); out.Code == 0 {
			t.Errorf("%s: %+v", wrong, out)
		}
	}
}

// --since takes a time in the past only.
func TestAuditSinceAMoment(t *testing.T) {
	t.Parallel()
	env := []string{"ELSOM_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "elsom.db")}
	if out := system.Run(t, env, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	for _, since := range []string{"2026-01-01T00:00:00+06:00", "24h"} {
		if out := system.Run(t, env, "audit", "--since="+since); out.Code != 0 || !strings.Contains(out.Stdout, "Older transfers were not checked.") {
			t.Errorf("%s: %+v", since, out)
		}
	}
	for _, since := range []string{"yesterday", "2999-01-01T00:00:00Z", "-1h", ""} {
		if out := system.Run(t, env, "audit", "--since="+since); out.Code == 0 || strings.Contains(out.Stdout, "All of it holds") {
			t.Errorf("%q: %+v", since, out)
		}
	}
}
