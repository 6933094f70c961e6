package bench_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// cpuTick is the unit of processor times in /proc on Linux.
const cpuTick = 10 * time.Millisecond

// cpuTimes are the processor times of this process, which is the client with the
// stand-ins for billers and the SMS center, of the servers, and of PostgreSQL.
type cpuTimes struct{ client, servers, postgres time.Duration }

// processTimes returns the processor time of a process and that of its children that
// have ended, and its parent.
func processTimes(pid int) (own, ended time.Duration, parent int) {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	text := string(content)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 15 {
		return 0, 0, 0
	}
	parent, _ = strconv.Atoi(fields[1])
	ticks := func(fields ...string) (sum time.Duration) {
		for _, f := range fields {
			n, _ := strconv.ParseInt(f, 10, 64)
			sum += time.Duration(n) * cpuTick
		}
		return sum
	}
	return ticks(fields[11:13]...), ticks(fields[13:15]...), parent
}

// cpu returns the processor times so far.
func (s *benchServer) cpu(servers ...*portal) (c cpuTimes) {
	c.client, _, _ = processTimes(os.Getpid())
	for _, p := range servers {
		own, _, _ := processTimes(p.Cmd.Process.Pid)
		c.servers += own
	}
	own, ended, _ := processTimes(s.postmaster)
	c.postgres = own + ended
	found, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range found {
		pid, _ := strconv.Atoi(filepath.Base(path))
		if own, _, parent := processTimes(pid); parent == s.postmaster && parent != 0 {
			c.postgres += own
		}
	}
	return c
}

// cpuUse is the use of the processor while n operations were done.
type cpuUse struct {
	cpuTimes
	took time.Duration
	n    int64
}

// measureCPU measures the use of the processor while a load runs.
func (s *benchServer) measureCPU(run func() figure, servers ...*portal) figure {
	before, begin := s.cpu(servers...), time.Now()
	f := run()
	after := s.cpu(servers...)
	f.cpu = cpuUse{
		cpuTimes{after.client - before.client, after.servers - before.servers, after.postgres - before.postgres},
		time.Since(begin), f.done,
	}
	return f
}

// String returns the client's share of what all used, and microseconds an operation.
func (u cpuUse) String() string {
	all := u.client + u.servers + u.postgres
	if u.n == 0 || all == 0 {
		return ""
	}
	each := func(d time.Duration) int64 { return d.Microseconds() / u.n }
	return fmt.Sprintf("client %.0f %% of the CPU used; µs each: client %d, server %d, PostgreSQL %d; cores idle %.0f %%",
		100*u.client.Seconds()/all.Seconds(), each(u.client), each(u.servers), each(u.postgres),
		max(0, 100-100*all.Seconds()/u.took.Seconds()/float64(runtime.NumCPU())))
}
