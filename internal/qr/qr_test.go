package qr_test

import (
	"fmt"
	"strings"
	"testing"

	"elsom/internal/qr"
	"elsom/internal/testkit/require"
)

// The path of a code draws exactly its dark modules.
func TestPathIsTheCode(t *testing.T) {
	code := require.Value(qr.New("https://elsom.example/verify/AAAAAAAAAAEqBRp8rHjPpF0ZLd1vR8kQ"))(t)
	if code.Size < 21 || code.Size > 45 {
		t.Errorf("%d modules", code.Size)
	}
	drawn := map[[2]int]bool{}
	x, y := 0, 0
	for _, run := range strings.Split(strings.TrimSuffix(code.Path(), "z"), "z") {
		var dx, dy, length, back int
		if n, err := fmt.Sscanf(run, "m%d %dh%dv1h-%d", &dx, &dy, &length, &back); n != 4 || err != nil || length != back {
			t.Fatalf("%q: %v", run, err)
		}
		x, y = x+dx, y+dy
		for i := range length {
			drawn[[2]int{x + i, y}] = true
		}
	}
	for y := range code.Size {
		for x := range code.Size {
			if code.Dark(x, y) != drawn[[2]int{x, y}] {
				t.Fatalf("module %d, %d", x, y)
			}
		}
	}
}

func TestLongTextHasNoCode(t *testing.T) {
	if _, err := qr.New(strings.Repeat("x", 5000)); err == nil {
		t.Error("no error")
	}
}
