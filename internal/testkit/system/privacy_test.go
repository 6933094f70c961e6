package system

import (
	"testing"
)

func TestPrivateDataIsDetected(t *testing.T) {
	t.Parallel()
	KeepCode("314159")
	KeepPIN("7391")
	for line, private := range map[string]bool{
		`{"msg":"x","phone":"+996700123456"}`: true, `to=996700123456 x`: true, `phone=0700123456`: true, `+996 700 123 456`: true,
		`account=00207199610017&sum=1`: true, `pin=4711`: true, `"pin":"4711"`: true, `code=314159`: true,
		`Starting to service <7391>`: true, `"text":"7391"`: true, `3*3*14*7391`: true, `"ms":7391,`: false,
		`took=1.314159s`: false, `task=118062350926030412`: false, `listen 127.0.0.1:43123`: false,
		`"time":"2026-11-22T18:57:37.314159Z"`: false, `txn_id=1234567890123456789`: false,
	} {
		if got := privateData(line) != ""; got != private {
			t.Errorf("privateData(%q) != \"\" is %v, want %v", line, got, private)
		}
	}
}
