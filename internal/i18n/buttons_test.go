package i18n

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var quoted = regexp.MustCompile(`«[^»]+»`)

// Texts that mention a button of the phone or browser use its exact label, without a
// case ending and in a language of the system. iOS has no Kyrgyz.
func TestButtonsAreNamedByTheirLabels(t *testing.T) {
	ky, ru := messagesOf(t, KY), messagesOf(t, RU)
	names := func(all map[string]message, key string) []string { return quoted.FindAllString(anyForm(all[key]), -1) }
	for key, want := range map[string][]string{
		"app.on.android.s2": {"«⋮»", "«Колдонмону орнотуу»", "«Башкы экранга кошуу»"},
		"app.on.iphone.s2":  names(ru, "app.on.iphone.s2"),
		"app.on.iphone.s3":  names(ru, "app.on.iphone.s3"),
	} {
		if got := names(ky, key); len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s names %v, not %v", key, got, want)
		}
	}
	own := map[string]bool{}
	for _, m := range ky {
		own[anyForm(m)] = true
	}
	endings := regexp.MustCompile(`(?:[нд]ы|[нд]и|[дт]ан|[дт]ен|[нд]у|[нд]ү|[дт]он|[дт]өн|[дт]а|[дт]е)»$`)
	for key, m := range ky {
		for _, name := range quoted.FindAllString(anyForm(m), -1) {
			if stem := strings.TrimPrefix(endings.ReplaceAllString(name, ""), "«"); stem != name && own[stem] && !own[strings.Trim(name, "«»")] {
				t.Errorf("%s: %s has a case ending", key, name)
			}
		}
	}
}
