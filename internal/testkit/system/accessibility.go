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

// Check checks what every page must be: nothing beside the screen, no text
// missing, the language told, and, where scripts run, nothing for axe to find.
func (v *Tab) Check(page string) {
	v.T.Helper()
	var seen struct{ Width, Screen int64 }
	v.Eval(&seen, `({Width: document.documentElement.scrollWidth, Screen: innerWidth})`)
	if seen.Width > v.Screen.Width || seen.Screen != v.Screen.Width {
		v.T.Errorf("%s (%s): the page is %d px wide on a screen of %d", page, v.Screen, seen.Width, seen.Screen)
	}
	if text := v.Text(); strings.ContainsAny(text, "⟨⟩") {
		v.T.Errorf("%s (%s): a text is missing: %s", page, v.Screen, text)
	}
	if v.Screen.Scripts {
		v.accessible(page)
	}
}

func (v *Tab) accessible(page string) {
	v.T.Helper()
	source, err := axe()
	if err != nil {
		v.T.Fatal(err)
	}
	var violations []struct {
		ID, Help string
		Nodes    []struct{ HTML, FailureSummary string }
	}
	v.Run(chromedp.Evaluate(source+"\n;0", nil))
	v.Eval(&violations, `axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations']}).then(r => r.violations)`)
	for _, violation := range violations {
		for _, node := range violation.Nodes {
			v.T.Errorf("%s (%s): axe: %s: %s\n%s\n%s", page, v.Screen, violation.ID, violation.Help, node.HTML, node.FailureSummary)
		}
	}
}
