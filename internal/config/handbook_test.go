package config

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the list of variables into the handbook")

const (
	handbook  = "../../cmd/elsom/help/config.md"
	listBegin = "<!-- generated: go test ./internal/config -run Handbook -update -->\n"
	listEnd   = "<!-- end -->\n"
)

// TestHandbookListsVariables fails unless the handbook has exactly the list that
// is generated from the struct.
func TestHandbookListsVariables(t *testing.T) {
	content, err := os.ReadFile(handbook)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(content), listBegin)
	list, after, ends := strings.Cut(rest, listEnd)
	if !begins || !ends {
		t.Fatalf("%s has no generated list", handbook)
	}
	want := listVariables(t)
	if *update {
		if err := os.WriteFile(handbook, []byte(before+listBegin+want+listEnd+after), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if list != want {
		t.Errorf("%s is out of date; run: go test ./internal/config -run Handbook -update\ngot:\n%s\nwant:\n%s", handbook, list, want)
	}
}

// listVariables returns the list in Markdown that also reads well in a terminal.
func listVariables(t *testing.T) string {
	t.Helper()
	var list strings.Builder
	for field := range reflect.TypeFor[variables]().Fields() {
		name, help := field.Tag.Get("env"), field.Tag.Get("help")
		if name == "" || help == "" {
			t.Errorf("%s has no name or no help", field.Name)
		}
		fallback := field.Tag.Get("defaultText")
		if preset := field.Tag.Get("envDefault"); preset != "" {
			fallback = preset
		}
		if fallback != "" && !strings.HasPrefix(fallback, "required") {
			fallback = "default: " + fallback
		}
		if slices.Contains(secrets, name) {
			fallback = strings.TrimPrefix(fallback+"; or "+name+fileSuffix, "; ")
		}
		if fallback != "" {
			fallback = " (" + fallback + ")"
		}
		fmt.Fprintf(&list, "%s\n", wrap("- "+name+fallback+": "+help))
	}
	return list.String()
}

var codeWord = regexp.MustCompile(`ELSOM_[A-Z_]*[A-Z]|/(?:dev|healthz|metrics)\b|elsom vapid`)

// wrap breaks an item of a list into lines of at most 80 columns and quotes names.
func wrap(item string) string {
	const columns = 80
	var lines strings.Builder
	length := 0
	for _, word := range strings.Fields(codeWord.ReplaceAllString(item, "`$0`")) {
		switch width := len([]rune(word)); {
		case length == 0:
			length = width
		case length+1+width > columns:
			lines.WriteString("\n  ")
			length = 2 + width
		default:
			lines.WriteString(" ")
			length += 1 + width
		}
		lines.WriteString(word)
	}
	return lines.String()
}

// TestHelpOfKeysNamesEverySecret fails unless the inventory of keys in the handbook has
// every secret of the configuration.
func TestHelpOfKeysNamesEverySecret(t *testing.T) {
	content, err := os.ReadFile("../../cmd/elsom/help/keys.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for field := range reflect.TypeFor[Config]().Fields() {
		if field.Type != reflect.TypeFor[Secret]() {
			continue
		}
		found++
		variable, ok := reflect.TypeFor[variables]().FieldByName(field.Name)
		if name := variable.Tag.Get("env"); !ok || !strings.Contains(string(content), "`"+name+"`") {
			t.Errorf("elsom help keys doesn't name %s (%s)", field.Name, name)
		}
	}
	if found < 10 {
		t.Errorf("%d secrets were found", found)
	}
}
