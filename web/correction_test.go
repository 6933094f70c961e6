package web_test

import (
	"strings"
	"testing"

	"elsom/internal/ledger"
	"elsom/internal/testkit/require"
)

// A correction by staff has its text in the history and a page.
func TestCorrectionInTheHistory(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.newCustomer(100_00)
	_, err := app.Ledger.Post(t.Context(), ledger.Posting{
		Key: "correction:1", Op: "test.correct",
		Entries: []ledger.Entry{{Account: app.agent.Till, Amount: -7_00}, {Account: holder.ID, Amount: 7_00}},
	})
	require.NoError(t, err)
	b := app.browserOf(holder)
	for lang, words := range map[string][2]string{
		"ru": {"Исправление", "Кем сделано"}, "ky": {"Оңдоо", "Ким жасаган"}, "en": {"Correction", "Made by"},
	} {
		b.open("/history?lang="+lang).shows(words[0], "+7,00")
		b.open(b.page.Find("a.op-link").First().AttrOr("href", "")).wantStatus(200).shows(words[0], words[1], "+7,00")
		if strings.Contains(b.body, "⟨") {
			t.Errorf("in %s a key has no label: %s", lang, b.text())
		}
	}
}
