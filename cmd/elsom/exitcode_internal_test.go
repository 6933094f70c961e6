package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"elsom/internal/fault"
	"elsom/internal/testkit/require"
	"elsom/internal/testkit/system"
)

// commandLine is a valid command line, and what it reads from standard input. {file} is
// a file that exists, {none} one that doesn't.
type commandLine struct{ line, input string }

const byStaff = " --staff Aida --reason asked"

// commandLines has a valid command line for each command.
var commandLines = map[string]commandLine{
	"help":                {line: "help"},
	"serve":               {line: "serve"},
	"migrate":             {line: "migrate"},
	"audit":               {line: "audit"},
	"backup":              {line: "backup {none}"},
	"restore":             {line: "restore {none}"},
	"agent add":           {"agent add till --ceiling 5 --allow any" + byStaff, "a long password\n"},
	"agent set":           {line: "agent set till --ceiling 6" + byStaff},
	"agent list":          {line: "agent list"},
	"agent disable":       {line: "agent disable till" + byStaff},
	"agent enable":        {line: "agent enable till" + byStaff},
	"gateway add":         {"gateway add carrier --scope ussd --allow any" + byStaff, "a long password\n"},
	"gateway set":         {line: "gateway set carrier --inputs last" + byStaff},
	"gateway list":        {line: "gateway list"},
	"gateway disable":     {line: "gateway disable carrier" + byStaff},
	"gateway enable":      {line: "gateway enable carrier" + byStaff},
	"settle agent":        {line: "settle agent till 5 --reference R"},
	"settle biller":       {line: "settle biller dostek 5 --reference R"},
	"catalog export":      {line: "catalog export 9"},
	"catalog import":      {line: "catalog import {file}"},
	"catalog show":        {line: "catalog show"},
	"catalog review":      {line: "catalog review" + byStaff},
	"catalog history":     {line: "catalog history"},
	"catalog restore":     {line: "catalog restore 9" + byStaff},
	"biller list":         {line: "biller list"},
	"biller password":     {"biller password nobody --user elsom" + byStaff, "a long password\n"},
	"payment hanging":     {line: "payment hanging"},
	"payment show":        {line: "payment show 123456789015"},
	"payment decide":      {line: "payment decide 123456789015 refund" + byStaff},
	"customer show":       {line: "customer show 0700123456"},
	"customer block":      {line: "customer block 0700123456" + byStaff},
	"customer unblock":    {line: "customer unblock 0700123456" + byStaff},
	"customer level":      {line: "customer level 0700123456 basic" + byStaff},
	"customer unlock":     {line: "customer unlock 0700123456" + byStaff},
	"customer pin":        {line: "customer pin 0700123456" + byStaff},
	"sessions end":        {line: "sessions end 0700123456" + byStaff},
	"operator log":        {line: "operator log"},
	"security log":        {line: "security log"},
	"key status":          {line: "key status"},
	"key new":             {line: "key new"},
	"key rotate":          {line: "key rotate {none}"},
	"key baseline":        {line: "key baseline"},
	"vapid":               {line: "vapid"},
	"example kannel":      {line: "example kannel"},
	"example kannel-ussd": {line: "example kannel-ussd"},
	"example roles":       {line: "example roles"},
	"example assetlinks":  {line: "example assetlinks"},
	"verify":              {line: "verify {none}"},
	"log branch":          {line: "log branch" + byStaff},
	"sms test":            {line: "sms test 0700123456"},
	"sms status":          {line: "sms status"},
}

// withoutDatabase are the commands that need none.
var withoutDatabase = []string{"help", "vapid", "key new", "example kannel", "example kannel-ussd", "example roles", "example assetlinks"}

// refusedLines are the commands of commandLines that a new database refuses.
var refusedLines = []string{
	"agent set", "agent disable", "agent enable", "gateway set", "gateway disable", "gateway enable", "settle agent", "settle biller",
	"catalog export", "catalog import", "catalog restore", "biller password", "payment show", "payment decide", "customer show", "customer block",
	"customer unblock", "customer level", "customer unlock", "customer pin", "sessions end",
}

// commandNames returns the names of all commands.
func commandNames(t *testing.T) []string {
	t.Helper()
	parser, err := kong.New(&commands, kong.Vars{"version": "", "langs": languages()})
	require.NoError(t, err)
	var names []string
	for _, leaf := range parser.Model.Leaves(true) {
		name := strings.TrimPrefix(leaf.FullPath(), parser.Model.Name+" ")
		if _, there := commandLines[name]; !there {
			t.Errorf("`elsom %s` has no command line in commandLines", name)
		}
		names = append(names, name)
	}
	return names
}

// runLine runs a command line of commandLines with more arguments.
func runLine(t *testing.T, env []string, name string, more ...string) (out system.Output) {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	require.NoError(t, os.WriteFile(file, []byte("nothing"), 0o600))
	c := commandLines[name]
	line := strings.NewReplacer("{file}", file, "{none}", filepath.Join(folder, "none")).Replace(c.line)
	return system.RunInput(t, env, c.input, append(strings.Fields(line), more...)...)
}

// All commands end with the same codes: 80 for a wrong command line, 2 if the database
// can't be reached, 1 if the operation is refused.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	unreachable := []string{"ELSOM_MODE=development", "ELSOM_LISTEN=" + system.FreeAddress(t), "ELSOM_DATABASE_URL=postgres://elsom@127.0.0.1:1/elsom"}
	migrated := []string{
		"ELSOM_MODE=development", "ELSOM_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "elsom.db"), "ELSOM_LISTEN=" + system.FreeAddress(t),
	}
	if out := system.Run(t, migrated, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	for _, name := range commandNames(t) {
		if out := runLine(t, unreachable, name, "--nothing"); out.Code != exitUsage || out.Stderr == "" {
			t.Errorf("a wrong flag: elsom %s: %+v", name, out)
		}
		want := exitNotTried
		if slices.Contains(withoutDatabase, name) {
			want = 0
		}
		if out := runLine(t, unreachable, name); out.Code != want || (want != 0 && !strings.Contains(out.Stderr, "elsom: ")) {
			t.Errorf("without a database: elsom %s: %+v, want %d", name, out, want)
		}
		if !slices.Contains(refusedLines, name) {
			continue
		}
		if out := runLine(t, migrated, name); out.Code != exitRefused || !strings.Contains(out.Stderr, "elsom: ") || out.Stdout != "" {
			t.Errorf("refused: elsom %s: %+v", name, out)
		}
	}
}

// A command whose settings are wrong is not tried.
func TestExitCodeOfWrongSettings(t *testing.T) {
	t.Parallel()
	env := []string{"ELSOM_DATABASE_URL=mysql://db/elsom"}
	for _, name := range commandNames(t) {
		if slices.Contains(withoutDatabase, name) || name == "verify" || name == "key rotate" {
			continue
		}
		if out := runLine(t, env, name); out.Code != exitNotTried || !strings.Contains(out.Stderr, "ELSOM_") {
			t.Errorf("elsom %s: %+v", name, out)
		}
	}
}

func TestExitCodeOfKinds(t *testing.T) {
	for _, kind := range fault.Kinds() {
		want := exitNotTried
		switch kind {
		case fault.Invalid, fault.NotFound, fault.Forbidden, fault.Conflict, fault.Insufficient, fault.Limit:
			want = exitRefused
		default:
		}
		if got := exitCode(fault.New(kind, "test", "")); got != want {
			t.Errorf("%s: %d, want %d", kind, got, want)
		}
	}
}
