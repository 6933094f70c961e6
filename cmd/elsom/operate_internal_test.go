package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// readers are the commands that change nothing in the database (key rotate writes a
// file, and needs no database), and serve, whose changes have logs of their own.
var readers = []string{
	"help", "serve", "audit", "agent list", "gateway list", "catalog export", "catalog history", "catalog show", "biller list", "payment hanging", "payment show",
	"operator log", "security log", "sms status", "vapid", "verify", "key new", "key status", "key rotate",
}

// Every command either changes nothing or leaves an entry in the operator log.
func TestChangingCommandsAreLogged(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(content)
	}
	parser, err := kong.New(&commands, kong.Vars{"version": "", "langs": languages()})
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(true) {
		name := strings.TrimPrefix(leaf.FullPath(), parser.Model.Name+" ")
		if slices.Contains(readers, name) || strings.HasPrefix(name, "example ") {
			continue
		}
		group, _, _ := strings.Cut(name, " ")
		if !strings.Contains(source.String(), `"`+name+`"`) && !strings.Contains(source.String(), `operate(ctx, "`+group+` "+`) {
			t.Errorf("`elsom %s` has no call of operate; if it changes nothing, list it in readers", name)
		}
	}
}

func TestWithLogin(t *testing.T) {
	for login, want := range map[string]string{
		"": "elsom", "4294967295": "elsom", "7": "elsom", "0": "elsom (login root)", "987654321": "elsom (login uid 987654321)",
	} {
		if got := withLogin("elsom", 7, login); got != want {
			t.Errorf("%s: %s, want %s", login, got, want)
		}
	}
}

// What changed is printed with readable keys, and amounts in som; the log has states of
// earlier releases too.
func TestChangeText(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"", "", ""},
		{"", `{"backup":"file"}`, "backup: file"},
		{`{"details":{"Ceiling":50000,"TillID":9},"name":"A"}`, `{"details":{"Ceiling":60000,"TillID":9},"name":"A","password_changed":true}`,
			"ceiling: 500,00 som → 600,00 som; password changed: yes"},
		{`{"details":{"ceiling_tyiyn":50000}}`, `{"details":{"ceiling_tyiyn":50050}}`, "ceiling: 500,00 som → 500,50 som"},
		{`{"blocked":false,"permitted":null}`, `{"blocked":true,"names":["a","b"]}`, `blocked: no → yes; names: ["a","b"]; permitted: – → –`},
		{`{"state":"processing"}`, "", ""},
	} {
		if got := changeText(c.before, c.after); got != c.want {
			t.Errorf("%s → %s: %q, want %q", c.before, c.after, got, c.want)
		}
	}
}
