package database_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"elsom/internal/database/databasetest"
)

var (
	tableLine  = regexp.MustCompile("(?m)^- `([a-z_]+)`:((?:.*\n)(?:  .*\n)*)")
	columnName = regexp.MustCompile("`([a-z0-9_]+)`")
)

// Every column is in the handbook's tables of personal data and secrets, or in the list
// of those that are neither. A new column has to be classified.
func TestColumnsAreClassified(t *testing.T) {
	text, err := os.ReadFile("../../cmd/elsom/help/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	_, lists, ok := strings.Cut(string(text), "## Personal data by table\n")
	if !ok {
		t.Fatal("the handbook's list is not there")
	}
	classified := map[string]bool{}
	for _, line := range tableLine.FindAllStringSubmatch(lists, -1) {
		for _, column := range columnName.FindAllStringSubmatch(line[2], -1) {
			classified[line[1]+"."+column[1]] = false
		}
	}
	if len(classified) < 60 {
		t.Fatalf("only %d columns are classified", len(classified))
	}
	neither, err := os.ReadFile("testdata/not_personal.txt")
	if err != nil {
		t.Fatal(err)
	}
	others := map[string]bool{} // "table.column", "table.*", or "*.column" of all tables
	for line := range strings.Lines(string(neither)) {
		table, columns, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for column := range strings.FieldsSeq(columns) {
			others[table+"."+column] = false
		}
	}
	for _, c := range liteColumns(t, databasetest.SQLite(t)) {
		name, all := c.Table+"."+c.Name, c.Table+".*"
		_, listed := classified[name]
		_, other := others[name]
		_, anyOther := others[all]
		_, everywhere := others["*."+c.Name]
		switch {
		case listed && (other || anyOther):
			t.Errorf("%s is in the handbook and in testdata/not_personal.txt", name)
		case listed:
			classified[name] = true
		case other:
			others[name] = true
		case anyOther:
			others[all] = true
		case everywhere:
			others["*."+c.Name] = true
		default:
			t.Errorf("%s is not classified: name it in cmd/elsom/help/privacy.md, or in testdata/not_personal.txt if it says nothing about a person and is no secret", name)
		}
	}
	for name, found := range classified {
		if table, _, _ := strings.Cut(name, "."); !found {
			t.Errorf("the handbook names %s, which %s does not have", name, table)
		}
	}
	for name, found := range others {
		if !found {
			t.Errorf("testdata/not_personal.txt names %s, which is not there", name)
		}
	}
}
