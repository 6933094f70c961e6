package web_test

import (
	"strings"
	"testing"

	"elsom/internal/ledger"
)

// What staff corrected has words and a page of its own, like all else.
func TestCorrectionInTheHistory(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	who := h.holder(100_00)
	_, err := h.ledger.Post(t.Context(), ledger.Posting{
		Key: "correction:1", Op: "test.correct",
		Entries: []ledger.Entry{{Account: h.agent.Till, Amount: -7_00}, {Account: who.ID, Amount: 7_00}},
	})
	must(t, err)
	b := h.as(who)
	for lang, words := range map[string][2]string{
		"ru": {"Исправление", "Кем сделано"}, "ky": {"Оңдоо", "Ким жасаган"}, "en": {"Correction", "Made by"},
	} {
		b.open("/history?lang="+lang).says(words[0], "+7,00")
		b.open(b.page.Find("a.row").First().AttrOr("href", "")).answered(200).says(words[0], words[1], "+7,00")
		if strings.Contains(b.body, "⟨") {
			t.Errorf("in %s a key has no words: %s", lang, b.text())
		}
	}
}
