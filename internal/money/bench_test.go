package money

import "testing"

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Parse("12 345,50"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkString(b *testing.B) {
	for b.Loop() {
		if Amount(1_234_550).String() == "" {
			b.Fatal("an amount says nothing")
		}
	}
}
