package config

import (
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

const (
	prefix = "ELSOM_"
	// Variables of the tests may be set when they start the program.
	testPrefix = prefix + "TEST_"
	fileSuffix = "_FILE"
)

// knownNames returns the names of all variables, including the _FILE forms of the
// secrets.
func knownNames() []string {
	var names []string
	params, err := env.GetFieldParams(&variables{})
	if err != nil {
		return nil
	}
	for _, p := range params {
		names = append(names, p.Key)
	}
	for _, secret := range secrets {
		names = append(names, secret+fileSuffix)
	}
	return names
}

// checkNames reports set variables whose names are similar to one of wanted: they
// are probably mistyped, and the default would be used silently. It returns the other
// unknown ELSOM_ variables, which may belong to another release.
func checkNames(environment map[string]string, wanted []string, problems *Problems) (unknown []string) {
	known := knownNames()
	for _, name := range sortedNames(environment) {
		if slices.Contains(known, name) || strings.HasPrefix(name, testPrefix) {
			continue
		}
		//mutant:replace meant != "" && environment[name] != "" => meant == "none" TestMistypedNames
		if meant := nearest(name, wanted); meant != "" && environment[name] != "" {
			problems.add(name, "is not known; did you mean %s? Correct the name, or unset it", meant)
		} else if strings.HasPrefix(name, prefix) {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

func sortedNames(environment map[string]string) []string {
	names := make([]string, 0, len(environment))
	for name := range environment {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// shortName is the length up to which only one mistake is tolerated.
const shortName = len("ELSOM_LISTEN")

// nearest returns the name that was probably meant: one mistake away, two in a long
// name, in any case of letters; "" if there is none.
func nearest(name string, wanted []string) string {
	best, least := "", 3
	for _, w := range wanted {
		allowed := 2
		if len(w) <= shortName {
			allowed = 1
		}
		if d := distance(strings.ToUpper(name), w, allowed); d <= allowed && d < least {
			best, least = w, d
		}
	}
	return best
}

// distance returns the number of letters to insert, delete, replace, or exchange
// with their neighbor to turn a into b (optimal string alignment). Above limit it
// may return any larger number.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
