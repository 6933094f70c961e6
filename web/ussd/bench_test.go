package ussd

import "testing"

// A step of the menu: an input heard, the next screen drawn.
func BenchmarkStep(b *testing.B) {
	begun := Start(Caller{USSD: true, Customer: 1, Lang: "ru", HasPIN: true})
	listing := walkShelf(State{Step: stepCategories})
	begun.Screen(listing) // the texts are read at the first
	for b.Loop() {
		next, act := begun.Next("3", listing)
		if screen := next.Screen(listing); act != opNone || screen.End || screen.Text == "" {
			b.Fatal(act, screen)
		}
	}
}
