package bench_test

import (
	"flag"
	"testing"

	"elsom/internal/testkit/system"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *peerListen != "" {
		servePeer()
	}
	system.Main(m)
}
