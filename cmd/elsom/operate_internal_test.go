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
