package customer

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed common.txt
var commonList string

var common = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(commonList) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			set[line] = true
		}
	}
	return set
})

// isCommon tells whether a password is among those that guessers try first.
func isCommon(password string) bool {
	return common()[strings.ToLower(strings.TrimSpace(password))]
}
