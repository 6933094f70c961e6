package osmp

import (
	"os"
	"testing"
	"time"
)

func BenchmarkReply(b *testing.B) {
	for _, name := range []string{"pay", "check_windows-1251"} {
		body, err := os.ReadFile("testdata/" + name + ".xml")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := parse(body, "text/xml"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkQuery(b *testing.B) {
	asked := ours
	asked.Date = time.Date(2026, 11, 22, 15, 15, 0, 0, time.UTC)
	for b.Loop() {
		if _, err := query(commandPay, asked); err != nil {
			b.Fatal(err)
		}
	}
}
