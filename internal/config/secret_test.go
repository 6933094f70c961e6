package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecretsFromFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(testSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range secrets {
		vars := with(strings.TrimPrefix(name, "ELSOM_"), "", strings.TrimPrefix(name, "ELSOM_")+"_FILE", path)
		var problems Problems
		in := fmt.Sprint(read(vars, secrets, &problems))
		if problems != nil || !strings.Contains(in, testSecret) || strings.Contains(in, "\n") {
			t.Errorf("%s_FILE: %q, problems %v", name, in, problems)
		}
	}
}

// A file of a secret that every user of the machine can read or replace is refused.
func TestSecretFilesOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(testSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, refused := range map[os.FileMode]bool{0o400: false, 0o600: false, 0o440: false, 0o640: false, 0o644: true, 0o604: true, 0o602: true, 0o444: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		problems := problemsOf(t, with("SECRET_KEY", "", "SECRET_KEY_FILE", path))
		if !refused && problems != nil {
			t.Errorf("%o: %v", mode, problems)
		}
		if refused && (len(problems) != 1 || problems[0].Variable != "ELSOM_SECRET_KEY_FILE" || !strings.Contains(problems[0].Reason, "chmod 0400 "+path)) {
			t.Errorf("%o: %v", mode, problems)
		}
		if _, err := Parse(map[string]string{"ELSOM_MODE": "development", "ELSOM_SECRET_KEY_FILE": path}); err != nil {
			t.Errorf("%o in development: %v", mode, err)
		}
	}
	for _, name := range []string{"SECRET_KEY", "PIN_PEPPER", "DATABASE_URL"} {
		if problems := problemsOf(t, with(name, "", name+"_FILE", "/nowhere/secret")); len(problems) != 1 || problems[0].Variable != "ELSOM_"+name+"_FILE" {
			t.Errorf("%s: %v", name, problems)
		}
	}
	if problems := problemsOf(t, with("SECRET_KEY", "", "SECRET_KEY_FILE", "/dev/zero")); len(problems) == 0 || problems[0].Variable != "ELSOM_SECRET_KEY_FILE" {
		t.Errorf("a file without end: %v", problems)
	}
}

// A problem with the file of a secret names the file, unless its name may be the secret.
func TestSecretFilesAreNamed(t *testing.T) {
	folder := t.TempDir()
	for path, want := range map[string]string{
		"/nowhere/secret": "/nowhere/secret: no such file", filepath.Join(folder, "missing"): filepath.Join(folder, "missing") + ": no such file",
		"./missing": "./missing: no such file", "../missing": "../missing: no such file", folder: folder + ": is a directory",
		testSecret: "not shown", "/" + testSecret + "/" + testSecret: "not shown", "postgres://u:" + testSecret + "@db/elsom": "not shown",
	} {
		problems := problemsOf(t, with("PIN_PEPPER", "", "PIN_PEPPER_FILE", path))
		if len(problems) != 1 || !strings.Contains(problems.Error(), "ELSOM_PIN_PEPPER_FILE: ") || !strings.Contains(problems.Error(), want) ||
			strings.Contains(problems.Error(), testSecret) {
			t.Errorf("%s: %v", path, problems)
		}
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	vars := with(
		"DATABASE_URL", "postgres://u:planted@db/elsom", "DOSTEK_URL", "http://u:planted@d/pay",
		"SMS_URL", "http://u:planted@k/", "SMS_RECEIPTS_URL", "http://u:planted@w/", "SMTP_URL", "smtp://u:planted@m", "VAPID_KEY", "planted"+strings.Repeat("A", 36),
	)
	c, err := Parse(vars)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		fmt.Fprintf(&out, verb+"\n"+verb+"\n", c, *c)
		fmt.Fprintf(&out, verb+"\n", c.SecretKey)
	}
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("configured", "config", c, "secret", c.SecretKey, "whole", *c)
	if err := json.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"planted", "http://u:planted@h\x7f/", "http://u:planted%zz@h/", "postgres://u:planted@h:x/", "smtp://planted@:"} {
		bad := maps.Clone(vars)
		for name := range bad {
			bad[name] = value
		}
		fmt.Fprint(&out, withoutPublic(problemsOf(t, bad)))
	}
	// An address in the wrong variable, and a key.
	for _, value := range []string{"postgres://u:planted@db/elsom", "http://u:planted@k/sendsms", strings.Repeat("planted", 7)} {
		for _, name := range knownNames() {
			bad := maps.Clone(vars)
			bad[name], bad["ELSOM_DATABASE_ULR"] = value, value
			if strings.HasSuffix(name, fileSuffix) { // the path of a file may be printed
				continue
			}
			fmt.Fprintln(&out, problemsOf(t, bad))
		}
	}
	if strings.Contains(out.String(), "planted") || strings.Contains(out.String(), fmt.Sprintf("%x", "planted")) {
		t.Errorf("a secret is printed:\n%s", out.String())
	}
	if out.Len() < 500 {
		t.Errorf("only %d bytes printed: nothing was tried", out.Len())
	}
}

// withoutPublic leaves out the problems of variables that hold no secret: their
// values may be printed.
func withoutPublic(problems Problems) Problems {
	var secret Problems
	for _, p := range problems {
		for _, name := range secrets {
			if p.Variable == name {
				secret = append(secret, p)
			}
		}
	}
	return secret
}
