package ussd

import "testing"

// One step of the menu: an input and its screen.
func BenchmarkStep(b *testing.B) {
	started := Start(Caller{USSD: true, Customer: 1, Lang: "ru", HasPIN: true})
	listing := testListing(State{Step: stepCategories})
	started.Screen(listing) // loads the texts
	for b.Loop() {
		next, act := started.Next("3", listing)
		if screen := next.Screen(listing); act != opNone || screen.End || screen.Text == "" {
			b.Fatal(act, screen)
		}
	}
}
