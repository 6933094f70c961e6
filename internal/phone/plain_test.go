package phone

import (
	"fmt"
	"strings"
	"testing"
)

// Parse answers a number in a usual form as the numbering library does.
func TestPlainNumbersAreMobile(t *testing.T) {
	for _, prefix := range strings.Fields(mobile) {
		for n := 0; n < 1_000_000; n += 997 {
			national := fmt.Sprintf("%s%06d", prefix, n)
			if number, err := checkMobile(national); err != nil || string(number) != "+996"+national {
				t.Fatalf("%s is no mobile number: %v", national, err)
			}
		}
	}
	for _, text := range []string{"+996700123456", "996700123456", "0700123456"} {
		if national := plain(text); national != "700123456" {
			t.Errorf("%s has the digits %q", text, national)
		}
	}
	for _, text := range []string{"+99670012345x", "996 700123456", "0700 12345", "700123456", "0312960888", "+99631298600", "09960700123", ""} {
		if national := plain(text); national != "" {
			t.Errorf("%s has the digits %q", text, national)
		}
	}
}
