package arch_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	asvsNumber = regexp.MustCompile(`\d+\.\d+\.\d+`)
	asvsStates = []string{"met", "operator", "none", "open"}
	// asvsEvidence is a test, or a link to a file.
	asvsEvidence = regexp.MustCompile("`Test|`make |\\]\\(")
)

// TestASVSIsComplete requires one row for each requirement of levels 1 and 2, with a
// state; what is met by code or by the operator names a test or a document. That the
// tests exist is checked by TestDocumentsNameWhatExists.
func TestASVSIsComplete(t *testing.T) {
	t.Parallel()
	text := documents(t)["internal/security/asvs.md"]
	numbers, err := os.ReadFile("testdata/asvs.txt")
	if err != nil {
		t.Fatal(err)
	}
	asked := strings.Fields(string(numbers))
	var answered []string
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if !strings.HasPrefix(line, "| ") || len(cells) != 4 || !asvsNumber.MatchString(cells[0]) {
			continue
		}
		state, how := cells[2], strings.TrimSuffix(cells[3], " |")
		answered = append(answered, asvsNumber.FindAllString(cells[0], -1)...)
		if !slices.Contains(asvsStates, state) || how == "" {
			t.Errorf("%s: state %q, %q", cells[0], state, how)
		}
		if plain := state == "met" && !asvsEvidence.MatchString(how); plain && !strings.Contains(how, "there is none") && !strings.Contains(how, "there are none") {
			t.Errorf("%s is met, but no test or document is named", cells[0])
		}
	}
	for _, number := range asked {
		if n := strings.Count(" "+strings.Join(answered, " ")+" ", " "+number+" "); n != 1 {
			t.Errorf("%s has %d rows", number, n)
		}
	}
	if len(answered) != len(asked) {
		t.Errorf("%d numbers, want %d", len(answered), len(asked))
	}
}

// asvsStructural are tests of asvs.md that read the source, the built program or
// documents. Their guard is not a line that can be changed and built.
var asvsStructural = map[string]string{
	"TestNothingDangerous":           "reads the source; TestDangersAreFound plants violations",
	"TestGORMOnlyInStoreFiles":       "reads the source",
	"TestReasonsAreComparedByName":   "reads the source; TestComparedReasonsAreFound plants violations",
	"TestScriptsMakeNoCodeOfText":    "reads the scripts",
	"TestProgramsAreStatic":          "reads the built programs",
	"TestChaosHooksAreNotReleased":   "reads the built programs, with and without the hooks",
	"TestColumnsAreClassified":       "reads the schema and the handbook",
	"TestHelpOfKeysNamesEverySecret": "reads the configuration and the handbook",
	"TestASVSTestsAreProven":         "is this test",
}

var asvsTest = regexp.MustCompile("`(Test\\w+)`")

// TestASVSTestsAreProven requires a mutation annotation for each test that asvs.md
// names: it was seen to fail without its guard, and `make mutants` repeats it.
func TestASVSTestsAreProven(t *testing.T) {
	t.Parallel()
	proven := provenTests(t)
	used := map[string]bool{}
	for _, match := range asvsTest.FindAllStringSubmatch(documents(t)["internal/security/asvs.md"], -1) {
		name := match[1]
		_, structural := asvsStructural[name]
		used[name] = true
		if proven[name] == structural {
			t.Errorf("%s: named by a mutation annotation: %t; in asvsStructural: %t", name, proven[name], structural)
		}
	}
	for name := range asvsStructural {
		if !used[name] {
			t.Errorf("asvs.md doesn't name %s", name)
		}
	}
}

var annotatedTest = regexp.MustCompile(`mutant:(?:drop|negate|replace) .*\b(Test\w+)(?:/\S+)?(?: // .*)?$`)

// provenTests returns the tests that mutation annotations name.
func provenTests(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, folder := range []string{"cmd", "internal", "migrations", "static", "templates", "web"} {
		err := fs.WalkDir(os.DirFS("../.."), folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !slices.Contains([]string{".go", ".sql", ".js", ".toml", ".yaml"}, filepath.Ext(path)) {
				return err
			}
			content, err := os.ReadFile(filepath.Join("../..", path))
			for line := range strings.Lines(string(content)) {
				if match := annotatedTest.FindStringSubmatch(strings.TrimRight(line, "\r\n")); match != nil {
					found[match[1]] = true
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(found) < 300 {
		t.Fatalf("only %d tests are named by annotations", len(found))
	}
	return found
}
