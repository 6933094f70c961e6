package main_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/securitylog"
	"elsom/internal/testkit/require"
	"elsom/internal/testkit/system"
)

// The log is read by number, which comes from standard input, by event and by outcome.
func TestSecurityLogCommand(t *testing.T) {
	t.Parallel()
	const secret = "a secret of thirty-two bytes or more, for this test"
	address := "sqlite:" + filepath.Join(t.TempDir(), "elsom.db")
	env := []string{"ELSOM_DATABASE_URL=" + address, "ELSOM_SECRET_KEY=" + secret}
	if out := system.Run(t, env, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	db, err := database.Open(context.Background(), address)
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	log, err := securitylog.New(db, securitylog.Options{Secret: []byte(secret)})
	require.NoError(t, err)
	for _, e := range []securitylog.Entry{
		{Kind: securitylog.Kind{Event: securitylog.Login, Outcome: securitylog.Failed}, Detail: "customer.password_wrong", Number: "+996700123456"},
		{Kind: securitylog.Kind{Event: securitylog.MachineLogin, Outcome: securitylog.Refused}, Caller: "kicb"},
	} {
		log.Record(context.Background(), e)
	}
	require.NoError(t, log.Close(context.Background()))
	for _, c := range []struct {
		name, input string
		env         []string
		args        []string
		code, lines int // lines of JSON
	}{
		{"all", "", env, nil, 0, 2},
		{"all without the secret", "", env[:1], nil, 0, 2},
		{"a number", "0700 123 456\n", env, []string{"--number"}, 0, 1},
		{"another number", "0700 123 457\n", env, []string{"--number"}, 0, 0},
		{"the secret was replaced", "0700 123 456\n", []string{env[0], "ELSOM_SECRET_KEY=another" + secret, "ELSOM_SECRET_KEY_PREVIOUS=" + secret}, []string{"--number"}, 0, 1},
		{"an event", "", env, []string{"--event", "machine_login"}, 0, 1},
		{"an outcome", "", env, []string{"--outcome", "ok"}, 0, 0},
		{"no number", "", env, []string{"--number"}, 80, 0},
		{"no phone number", "12\n", env, []string{"--number"}, 80, 0},
		{"a number without the secret", "0700 123 456\n", env[:1], []string{"--number"}, 2, 0},
		{"an unusable secret", "0700 123 456\n", []string{env[0], "ELSOM_SECRET_KEY=short"}, []string{"--number"}, 2, 0},
		{"the future", "", env, []string{"--since=-1h"}, 80, 0},
	} {
		out := system.RunInput(t, c.env, c.input, append([]string{"security", "log", "--json"}, c.args...)...)
		lines := strings.Split(strings.TrimSuffix(out.Stdout, "\n"), "\n")
		if out.Stdout == "" {
			lines = nil
		}
		if out.Code != c.code || len(lines) != c.lines {
			t.Errorf("%s: %+v", c.name, out)
		}
		for _, line := range lines {
			var r securitylog.Row
			if err := json.Unmarshal([]byte(line), &r); err != nil || strings.Contains(line, "700123456") {
				t.Errorf("%s: %s %v", c.name, line, err)
			}
			if _, offset := r.At.Zone(); r.At.IsZero() || offset != 0 || !strings.Contains(line, `Z","event"`) {
				t.Errorf("%s: not in UTC: %s", c.name, line)
			}
		}
	}
	if out := system.Run(t, env, "security", "log"); out.Code != 0 || strings.Count(out.Stdout, "\n") != 3 || !strings.Contains(out.Stdout, "kicb") {
		t.Errorf("%+v", out)
	}
}

// An unknown event, outcome or command is refused with the list of the known ones, and
// `elsom help monitoring` has them all.
func TestUnknownValuesOfFiltersAreRefused(t *testing.T) {
	t.Parallel()
	help := system.Run(t, nil, "help", "monitoring").Stdout
	for _, e := range securitylog.Events() {
		if !strings.Contains(help, string(e)) {
			t.Errorf("`elsom help monitoring` lacks %s", e)
		}
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"security", "log", "--event", "logins"}, "--event: \"logins\" is not known; it is one of lookup, login, logout"},
		{[]string{"security", "log", "--outcome", "denied"}, "it is one of ok, failed, refused, limited, error"},
		{[]string{"operator", "log", "--command", "agent sett"}, "it is one of agent, agent add, agent disable"},
	} {
		if out := system.Run(t, nil, c.args...); out.Code != 80 || !strings.Contains(out.Stderr, c.says) {
			t.Errorf("%v: %+v", c.args, out)
		}
	}
}
