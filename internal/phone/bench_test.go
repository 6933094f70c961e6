package phone

import "testing"

func BenchmarkParse(b *testing.B) {
	for _, text := range []string{"0700 123 456", "+996700123456"} {
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				if _, err := Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
