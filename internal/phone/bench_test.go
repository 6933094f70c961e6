package phone

import "testing"

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Parse("0700 123 456"); err != nil {
			b.Fatal(err)
		}
	}
}
