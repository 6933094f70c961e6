package password_test

import (
	"strings"
	"testing"

	"elsom/internal/password"
)

// Every line of a list that a customer could set as a password is refused.
func FuzzReadRefused(f *testing.F) {
	f.Add("password1\r\nqwertyuiop\n")
	f.Add("short\n\xff\xfe\n" + strings.Repeat("long", 1<<15) + "\npassword1")
	f.Add("0123456789abcdef0123456789abcdef:5\n")
	f.Fuzz(func(t *testing.T, list string) {
		refused, err := password.ReadRefused(strings.NewReader(list))
		if err != nil {
			return
		}
		found := 0
		for line := range strings.Lines(list) {
			if refused.Has(strings.TrimRight(line, "\r\n")) {
				found++
			}
		}
		if found < refused.Len() {
			t.Errorf("%d passwords were read of %q, %d are refused", refused.Len(), list, found)
		}
	})
}
