package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"elsom/internal/i18n"
	"elsom/internal/testkit/require"
	"elsom/internal/testkit/system"
)

var updateTranscript = flag.Bool("update", false, "write the transcript of the journey by keyboard anew")

// keyboard is a person at a page who uses no mouse, and reads it by a screen reader.
type keyboard struct {
	*system.Tab
	transcript strings.Builder
}

// focused returns the name of the element that has the focus; it fails if the focus is
// not visible.
func (k *keyboard) focused() string {
	k.T.Helper()
	var at struct {
		Name    string
		Visible bool
	}
	k.Eval(&at, `(() => {
		const e = document.activeElement, own = (e.labels && e.labels[0] || e).cloneNode(true);
		for (const hidden of own.querySelectorAll("[aria-hidden=true]")) hidden.remove();
		const r = e.getBoundingClientRect(), ring = e.closest(".entry") || e;
		return { Name: own.textContent.replace(/\s+/g, " ").trim(), Visible: e === document.body || e.tabIndex < 0 ||
			r.bottom > 0 && r.top < innerHeight && getComputedStyle(ring).outlineStyle !== "none" };
	})()`)
	if !at.Visible {
		k.T.Errorf("%s: the focus on %q is not visible", k.Path(), at.Name)
	}
	return at.Name
}

// to presses Tab until the focus is on the control of that name.
func (k *keyboard) to(name string) {
	k.T.Helper()
	var passed []string
	for range 60 {
		k.Run(chromedp.KeyEvent("\t"))
		got := k.focused()
		if strings.HasPrefix(got, name) {
			fmt.Fprintf(&k.transcript, "  [Tab × %d: %s]\n", len(passed)+1, name)
			return
		}
		passed = append(passed, got)
	}
	k.T.Fatalf("%s: Tab never reaches %q, only %q", k.Path(), name, passed)
}

func (k *keyboard) enter(name, text string) {
	k.T.Helper()
	k.to(name)
	k.Run(chromedp.KeyEvent(text))
}

// press follows a link or presses a button, and waits for the page that it leads to.
func (k *keyboard) press(name, path string) {
	k.T.Helper()
	k.to(name)
	k.Run(chromedp.KeyEvent("\r"))
	fmt.Fprintln(&k.transcript, "  [Enter]")
	k.arrive(path)
}

// loaded reports whether a page is complete and the field that it focuses has the focus.
const loaded = `(() => {
	const field = document.querySelector("[autofocus]");
	return document.readyState === "complete" && (!field || document.activeElement === field);
})()`

func (k *keyboard) arrive(path string) {
	k.T.Helper()
	for range 200 {
		var ready bool
		if k.TryEval(&ready, loaded) == nil && ready && strings.HasPrefix(k.Path(), path) {
			k.fits()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	k.T.Fatalf("at %s, not %s: %s", k.Path(), path, k.Text())
}

// fits checks that nothing needs scrolling in two directions.
func (k *keyboard) fits() {
	k.T.Helper()
	var wide int
	if k.Eval(&wide, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
		k.T.Errorf("%s is %d px too wide", k.Path(), wide)
	}
}

// roles are those that a screen reader announces.
var roles = []string{
	"heading", "link", "button", "textbox", "checkbox", "searchbox", "StaticText", "navigation", "main", "banner", "contentinfo",
	"status", "alert", "article", "region", "DisclosureTriangle", "term", "definition",
}

// node is a node of the accessibility tree. The types of cdproto refuse names of
// properties that are newer than they are.
type node struct {
	ID         string   `json:"nodeId"`
	Ignored    bool     `json:"ignored"`
	Role       value    `json:"role"`
	Name       value    `json:"name"`
	Children   []string `json:"childIds"`
	Properties []struct {
		Name  string `json:"name"`
		Value value  `json:"value"`
	} `json:"properties"`
}

type value struct {
	Value any `json:"value"`
}

func (v value) String() string {
	if v.Value == nil {
		return ""
	}
	return strings.Join(strings.Fields(fmt.Sprint(v.Value)), " ")
}

// read appends what a screen reader is given: the accessibility tree in reading order.
func (k *keyboard) read(title string) {
	k.T.Helper()
	fmt.Fprintf(&k.transcript, "\n== %s\n", title)
	k.Run(chromedp.ActionFunc(func(ctx context.Context) error {
		var tree struct {
			Nodes []*node `json:"nodes"`
		}
		if err := cdp.Execute(ctx, "Accessibility.getFullAXTree", nil, &tree); err != nil {
			return err
		}
		byID := map[string]*node{}
		for _, n := range tree.Nodes {
			byID[n.ID] = n
		}
		k.node(byID, tree.Nodes[0], false)
		return nil
	}))
}

func (k *keyboard) node(byID map[string]*node, n *node, named bool) {
	role, name := n.Role.String(), n.Name.String()
	shown := !n.Ignored && slices.Contains(roles, role) && !(role == "StaticText" && (named || name == ""))
	if shown {
		fmt.Fprintf(&k.transcript, "%s%s\n", role, spoken(name, n))
	}
	named = named || shown && slices.Contains([]string{"heading", "link", "button", "textbox", "DisclosureTriangle"}, role)
	for _, id := range n.Children {
		if child := byID[id]; child != nil {
			k.node(byID, child, named)
		}
	}
}

// spoken is a node's name and states.
func spoken(name string, n *node) string {
	text := ""
	if name != "" {
		text = ": " + name
	}
	for _, p := range n.Properties {
		if value := p.Value.String(); slices.Contains([]string{"focused", "invalid", "expanded", "level", "checked"}, p.Name) && value != "false" {
			text += fmt.Sprintf(" (%s %s)", p.Name, value)
		}
	}
	return text
}

// varying are the parts of a transcript that differ from run to run.
var varying = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:8080"},
	{regexp.MustCompile(`\+996( \d{3}){3}`), "+996 …"},
	{regexp.MustCompile(`\d{4} \d{4} \d{4}( \d\d)?`), "0000 …"},
	{regexp.MustCompile(`\d\d\.\d\d\.\d{4}, \d\d:\d\d`), "22.11.2026, 15:15"},
	{regexp.MustCompile(`visitor\d+@example\.kg`), "visitor1@example.kg"},
	{regexp.MustCompile(`(ОсОО|ИП|ОАО|ЗАО) [^\n]*`), "ОсОО …"},
}

// TestJourneyByKeyboard goes from the login to the receipt by keyboard alone at 400 %
// zoom (320 × 256 CSS pixels), with visible focus everywhere. What was pressed and what
// a screen reader is given is compared with testdata/keyboard.txt.
func TestJourneyByKeyboard(t *testing.T) {
	t.Parallel()
	s := system.NewSQLiteSite(t, system.WithoutRateLimits)
	tab := system.NewTab(t, s, system.Screen{Width: 320, Scripts: true})
	w, p := system.WordsOf[i18n.RU], system.NewPerson()
	system.SignUp(t, s, tab, w, p)
	s.CashIn(t, p.Phone, "1000.00")
	tab.Press(w.Logout)
	k := &keyboard{Tab: tab}
	k.Run(emulation.SetDeviceMetricsOverride(320, 256, 4, false))
	k.Open("/")
	k.read("the first page")
	k.enter("Номер кошелька", "0"+strings.TrimPrefix(p.Phone, "+996"))
	k.press(w.Enter, "/login")
	k.read("the password")
	k.Run(chromedp.KeyEvent(p.Password)) // the field has the focus
	k.press(w.Enter, "/cabinet")
	k.read("the cabinet")
	k.press(w.Services, "/services")
	k.press(w.Other, "/services/other")
	k.press("DosTek group", "/pay/dostek")
	k.read("the form")
	k.enter("ИНН компании", p.INN)
	k.enter("Сумма", "250,50")
	k.press(w.Next, "/check/")
	k.read("the check page")
	k.press(w.Pay, "/receipt/")
	k.WaitAttribute("data-payment-status", "completed")
	k.read("the receipt")
	got := strings.ReplaceAll(strings.TrimSpace(k.transcript.String()), "\u00a0", " ") + "\n"
	for _, v := range varying {
		got = v.what.ReplaceAllString(got, v.as)
	}
	const golden = "testdata/keyboard.txt"
	if *updateTranscript {
		require.NoError(t, os.MkdirAll(filepath.Dir(golden), 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	if got != string(want) {
		t.Errorf("the transcript differs (go test ./internal/e2e -run TestJourneyByKeyboard -update):\n%s", got)
	}
}
