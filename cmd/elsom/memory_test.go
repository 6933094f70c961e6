package main

import (
	"math"
	"testing"
	"testing/fstest"
)

func TestCgroupLimit(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no cgroups":  {nil, math.MaxInt64},
		"a container": {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "268435456\n"}, 256 * mib},
		"a service of systemd": {map[string]string{
			"proc/self/cgroup": "0::/system.slice/elsom.service\n",
			"sys/fs/cgroup/system.slice/elsom.service/memory.max":     "536870912\n",
			"sys/fs/cgroup/system.slice/memory.max":                   "max\n",
			"sys/fs/cgroup/system.slice/neighbour.service/memory.max": "1048576\n",
		}, 512 * mib},
		"a limit above": {map[string]string{
			"proc/self/cgroup":                 "1:cpu:/x\n0::/pod/container\n",
			"sys/fs/cgroup/pod/memory.max":     "134217728",
			"sys/fs/cgroup/pod/container/x":    "",
			"sys/fs/cgroup/x/memory.max":       "1",
			"sys/fs/cgroup/pod/container/junk": "y",
		}, 128 * mib},
		"no limit": {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, math.MaxInt64},
		"nonsense": {map[string]string{"proc/self/cgroup": "0::\n", "sys/fs/cgroup/memory.max": "-5\n"}, math.MaxInt64},
	} {
		files := fstest.MapFS{}
		for path, text := range c.files {
			files[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := cgroupLimit(files); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestSoftLimit(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, c := range []struct{ live, hard, want int64 }{
		{0, math.MaxInt64, 160 * mib}, {80 * mib, math.MaxInt64, 160 * mib}, {81 * mib, math.MaxInt64, 320 * mib},
		{500 * mib, math.MaxInt64, 1120 * mib}, {500 * mib, 600 * mib, 600 * mib}, {0, 100 * mib, 100 * mib},
	} {
		if got := softLimit(c.live, c.hard); got != c.want {
			t.Errorf("live %d, hard %d: %d, want %d", c.live, c.hard, got, c.want)
		}
	}
}
