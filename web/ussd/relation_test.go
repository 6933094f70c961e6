package ussd

import "testing"

// Each relation of the table in the package comment.
func TestClassify(t *testing.T) {
	open := facts{exists: true}
	with := func(f facts, change func(*facts)) facts { change(&f); return f }
	cases := []struct {
		name string
		f    facts
		want relation
	}{
		{"no session", facts{}, fresh},
		{"no session, last input", facts{style: Last}, fresh},
		{"no session, numbered dialing", facts{style: Numbered, dials: true}, fresh},
		{"no session, numbered input", facts{style: Numbered}, lost},
		{"numbered, older than a session", facts{style: Numbered, exists: true, dials: true, expired: true}, lost},

		{"whole: extends", with(open, func(f *facts) { f.extends = true }), next},
		{"whole: extends, leased", with(open, func(f *facts) { f.extends, f.busy = true, true }), busy},
		{"whole: same", with(open, func(f *facts) { f.same = true }), repeat},
		{"whole: same, leased", with(open, func(f *facts) { f.same, f.busy = true, true }), repeat},
		{"whole: answered before", with(open, func(f *facts) { f.seen = true }), repeat},
		{"whole: empty text within a session", with(open, func(f *facts) { f.dials, f.empty = true, true }), repeat},
		{"whole: other text", open, unrelated},
		{"whole: other text after the end", with(open, func(f *facts) { f.over = true }), redial},
		{"whole: dials after the end", with(open, func(f *facts) { f.over, f.dials, f.seen = true, true, true }), redial},
		{"whole: dials after the end, leased", with(open, func(f *facts) { f.over, f.dials, f.busy = true, true, true }), busy},
		{"whole: answered before, after the end", with(open, func(f *facts) { f.over, f.seen = true, true }), repeat},
		{"whole: extends after the end", with(open, func(f *facts) { f.over, f.extends = true, true }), repeat},

		{"last: input", with(open, func(f *facts) { f.style = Last }), next},
		{"last: same soon", with(open, func(f *facts) { f.style, f.same, f.soon = Last, true, true }), repeat},
		{"last: same later", with(open, func(f *facts) { f.style, f.same = Last, true }), next},
		{"last: dials", with(open, func(f *facts) { f.style, f.dials = Last, true }), redial},
		{"last: same after the end", with(open, func(f *facts) { f.style, f.same, f.over = Last, true, true }), repeat},
		{"last: input after the end", with(open, func(f *facts) { f.style, f.over = Last, true }), redial},

		{"numbered: input", with(open, func(f *facts) { f.style = Numbered }), next},
		{"numbered: answered before", with(open, func(f *facts) { f.style, f.seen, f.early = Numbered, true, true }), repeat},
		{"numbered: sent before the last one", with(open, func(f *facts) { f.style, f.early = Numbered, true }), stale},
		{"numbered: dials", with(open, func(f *facts) { f.style, f.dials = Numbered, true }), redial},
		{"numbered: input after the end", with(open, func(f *facts) { f.style, f.over = Numbered, true }), stale},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := classify(c.f); got != c.want {
				t.Errorf("classify(%+v) = %d, want %d", c.f, got, c.want)
			}
		})
	}
}
