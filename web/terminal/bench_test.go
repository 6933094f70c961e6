package terminal

import "testing"

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := parse("command=pay&txn_id=1763798400000123&txn_date=20261122120005&account=%2B996700123456&sum=250.50", ""); err != nil {
			b.Fatal(err)
		}
	}
}
