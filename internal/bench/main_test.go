package bench_test

import (
	"testing"

	"elsom/internal/testkit/system"
)

func TestMain(m *testing.M) { system.Main(m) }
