package main

import (
	"context"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// garbagePercent is GOGC. At Go's default of 100 the collector took an eighth of
// the processor time; at 400 an idle portal takes about 20 MB.
const garbagePercent = 400

// memoryStep is the unit of the soft memory limit, in bytes: with a thousand
// paying connections it keeps the process below 200 MB instead of 250.
const memoryStep = 160 << 20

// cgroupLimit returns the smallest memory.max of this process's cgroup (v2) and
// those above it.
func cgroupLimit(root fs.FS) int64 {
	limit := int64(math.MaxInt64)
	own, _ := fs.ReadFile(root, "proc/self/cgroup")
	for line := range strings.Lines(string(own)) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		for ; ok; group = path.Dir(group) {
			text, _ := fs.ReadFile(root, path.Join("sys/fs/cgroup", group, "memory.max"))
			if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 {
				limit = min(limit, n)
			}
			if group == "/" || group == "." {
				break
			}
		}
	}
	return limit
}

// tuneGC makes the garbage collector run less often while the process is
// small, and keeps it below its cgroup's memory limit. GOGC and GOMEMLIMIT, where
// they are set, take precedence.
func tuneGC(ctx context.Context) {
	if chosen := debug.SetGCPercent(garbagePercent); chosen != 100 {
		debug.SetGCPercent(chosen)
	}
	if chosen := debug.SetMemoryLimit(-1); chosen != math.MaxInt64 {
		return
	}
	hard := int64(math.MaxInt64)
	if group := cgroupLimit(os.DirFS("/")); group < hard {
		hard = group / 5 * 4 // the rest is for what the collector does not manage
	}
	debug.SetMemoryLimit(softLimit(0, hard))
	go adaptLimit(ctx, hard)
}

// adaptLimit raises the soft limit with the live heap: a limit below it would
// make the collector run all the time.
func adaptLimit(ctx context.Context, hard int64) {
	live := []runtimemetrics.Sample{{Name: "/gc/heap/live:bytes"}}
	for set := softLimit(0, hard); ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		runtimemetrics.Read(live)
		if limit := softLimit(int64(live[0].Value.Uint64()), hard); limit != set {
			set = limit
			debug.SetMemoryLimit(limit)
		}
	}
}

// softLimit returns twice the live heap, rounded up to a multiple of memoryStep,
// but at most hard.
func softLimit(live, hard int64) int64 {
	steps := (2*live + memoryStep - 1) / memoryStep
	//mutant:replace min(hard, max(1, steps)*memoryStep) => max(1, steps) * memoryStep TestSoftLimit
	return min(hard, max(1, steps)*memoryStep)
}
