package password

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadRefused(t *testing.T) {
	list := "summer2031\r\nWinter2031\nкороткий\nshort\n\nsummer2031\n\x00binary line\n" +
		strings.Repeat("long", 100_000) + "\nпароль весной" + "\n" + strings.Repeat("x", Max) + "\n" + strings.Repeat("y", Max+1) + "\nlast without an end"
	r, err := ReadRefused(iotest.OneByteReader(strings.NewReader(list)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Len() != 6 {
		t.Errorf("%d passwords", r.Len())
	}
	for password, want := range map[string]bool{
		"summer2031": true, "SUMMER2031": true, "winter2031": true, "КОРОТКИЙ": true, "пароль\u00a0весной": true, "last without an end": true,
		strings.Repeat("x", Max): true, strings.Repeat("y", Max+1): false, "short": false, "summer2032": false, "summer2031\r": false, "": false, "\x00binary line": false, good: false,
	} {
		if r.Has(password) != want {
			t.Errorf("%.30q: %v", password, !want)
		}
	}
	if none := (*Refused)(nil); none.Has("summer2031") || none.Len() != 0 {
		t.Error("a nil set is not empty")
	}
}

func TestReadRefusedRefuses(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		list io.Reader
		want string
	}{
		"empty":       {strings.NewReader(""), "no password of 8"},
		"short lines": {strings.NewReader("1234567\n\n"), "no password of 8"},
		"hashes":      {strings.NewReader("000000005AD76BD555C1D6D771DE417A4B87E4B4:10\n"), "hashes"},
		"too many":    {strings.NewReader("password1\npassword2\npassword3\npassword4\n"), "more than 3"},
		"unreadable":  {io.MultiReader(strings.NewReader("password1\n"), iotest.ErrReader(broken)), "broken"},
	} {
		if _, err := readRefused(c.list, 3); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A large list keeps 8 bytes a password.
func TestLargeList(t *testing.T) {
	const passwords = 200_000
	from, to := io.Pipe()
	go func() {
		for i := range passwords {
			_, _ = fmt.Fprintf(to, "password %d\n", i)
		}
		_ = to.Close()
	}()
	r, err := ReadRefused(from)
	if err != nil || r.Len() != passwords || cap(r.hashes) > passwords*5/4 {
		t.Fatalf("%d passwords, capacity %d, %v", r.Len(), cap(r.hashes), err)
	}
	if !r.Has("password 0") || !r.Has("password 199999") || r.Has("password 200000") {
		t.Error("the wrong passwords are refused")
	}
}
