package system

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/chromedp"
)

var axe = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile(filepath.Join(Root(), ".ci", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		return "", fmt.Errorf("axe-core is missing: run .ci/install (%w)", err)
	}
	return string(source), nil
})

// Check implements Page: no horizontal overflow, no missing text and, with
// scripts, no violation that axe-core finds.
func (tab *Tab) Check(page string) {
	tab.T.Helper()
	var seen struct{ Width, Screen int64 }
	tab.Eval(&seen, `({Width: document.documentElement.scrollWidth, Screen: innerWidth})`)
	if seen.Width > tab.Screen.Width || seen.Screen != tab.Screen.Width {
		tab.T.Errorf("%s (%s): the page is %d px wide on a screen of %d", page, tab.Screen, seen.Width, seen.Screen)
	}
	if text := tab.Text(); strings.ContainsAny(text, "⟨⟩") {
		tab.T.Errorf("%s (%s): a text is missing: %s", page, tab.Screen, text)
	}
	if tab.Screen.Scripts {
		tab.accessible(page)
	}
}

func (tab *Tab) accessible(page string) {
	tab.T.Helper()
	source, err := axe()
	if err != nil {
		tab.T.Fatal(err)
	}
	var violations []struct {
		ID, Help string
		Nodes    []struct{ HTML, FailureSummary string }
	}
	tab.Run(chromedp.Evaluate(source+"\n;0", nil))
	tab.Eval(&violations, `axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations']}).then(r => r.violations)`)
	for _, violation := range violations {
		for _, node := range violation.Nodes {
			tab.T.Errorf("%s (%s): axe: %s: %s\n%s\n%s", page, tab.Screen, violation.ID, violation.Help, node.HTML, node.FailureSummary)
		}
	}
}
