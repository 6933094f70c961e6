package bench_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// residentMemory returns the resident memory of a process in MB.
func residentMemory(pid int) float64 {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			kib, _ := strconv.ParseFloat(fields[1], 64)
			return kib * 1024 / 1e6
		}
	}
	return 0
}

// memoryIdle measures the memory of a portal that has started and has no requests.
func memoryIdle(m *runner) measured {
	bdb := m.open("memory")
	p := bdb.portal("idle", m.server.silent())
	time.Sleep(m.lasting)
	idle := residentMemory(p.Cmd.Process.Pid)
	p.Stop(syscall.SIGTERM)
	return on(measured{ratio: idle, parts: []float64{idle}, details: fmt.Sprintf("%s after the start", m.lasting)}, bdb)
}

// memoryPaying is the peak memory of a portal that a thousand connections pay at.
func memoryPaying(m *runner) measured {
	bdb := m.open("memory")
	p := bdb.portal("paying", m.server.silent())
	f := m.measureOnce("«Оплатить», 1,000 connections", func() figure {
		bdb.ready(m.many(), p)
		return bdb.payOverHTTP(load{callers: 1000, lasting: m.lasting}, p)
	})
	peak := float64(p.memory()) * (1 << 20) / 1e6
	p.Stop(syscall.SIGTERM)
	return on(measured{ratio: peak, parts: []float64{peak}, details: formatThousands(f.rate) + " payments a second"}, bdb)
}
