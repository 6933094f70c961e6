package arch_test

import (
	"os"
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
