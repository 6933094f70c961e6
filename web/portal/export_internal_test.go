package portal

import "testing"

// A second file of a wallet waits for the first one; a process makes a few at once.
func TestExportsAtOnce(t *testing.T) {
	t.Parallel()
	var e exports
	if !e.begin(1) || e.begin(1) || !e.begin(2) {
		t.Fatal("not one file for a wallet")
	}
	if !e.begin(3) || !e.begin(4) || e.begin(5) {
		t.Fatal("not four files at once")
	}
	e.end(1)
	if !e.begin(5) || e.begin(1) {
		t.Fatal("a file that ended leaves no room")
	}
}
