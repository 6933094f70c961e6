package inn

import "testing"

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Parse("0020 7199 6100 17"); err != nil {
			b.Fatal(err)
		}
	}
}
