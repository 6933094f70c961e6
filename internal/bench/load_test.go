package bench_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// figure is the result of a load.
type figure struct {
	rate     float64 // a second
	p50, p99 time.Duration
	mean     time.Duration
	done     int64
	refused  int64 // rejected by load shedding or rate limits
	unit     string
	note     string
	cpu      cpuUse // of a load over HTTP
}

func (f figure) String() string {
	text := formatThousands(f.rate) + f.unit + " a second"
	if f.p99 > 0 {
		text += fmt.Sprintf(", p50 %.1f, p99 %.1f ms", milliseconds(f.p50), milliseconds(f.p99))
	}
	if f.refused > 0 {
		text += fmt.Sprintf(", %s refused", formatThousands(f.refused))
	}
	for _, more := range []string{f.note, f.cpu.String()} {
		if more != "" {
			text += "; " + more
		}
	}
	return text
}

// outcome is the outcome of one operation of a load.
type outcome int

const (
	done    outcome = iota
	refused         // rejected without an effect; the caller tries again
	over            // the caller stops
)

// load is a number of callers that repeat an operation.
type load struct {
	callers int
	lasting time.Duration
	// rate is the maximum number of operations a second of all callers; 0: no
	// maximum.
	rate float64
	do   func(caller int) outcome
}

// run runs the load. The rate counts accepted operations only.
func (l load) run() figure {
	var all sync.WaitGroup
	var mu sync.Mutex
	var took []time.Duration
	var rejected, stopped atomic.Int64
	begin := time.Now()
	for caller := range l.callers {
		all.Go(func() {
			var own []time.Duration
			for n := 0; stopped.Load() == 0 && time.Since(begin) < l.lasting && l.wait(begin, caller, n); n++ {
				started := time.Now()
				switch l.do(caller) {
				case done:
					own = append(own, time.Since(started))
				case refused:
					rejected.Add(1)
				case over:
					stopped.Add(1)
				}
			}
			mu.Lock()
			took = append(took, own...)
			mu.Unlock()
		})
	}
	all.Wait()
	f := figure{done: int64(len(took)), refused: rejected.Load()}
	f.rate = float64(len(took)) / time.Since(begin).Seconds()
	if len(took) > 0 {
		slices.Sort(took)
		var sum time.Duration
		for _, d := range took {
			sum += d
		}
		f.p50, f.p99, f.mean = took[len(took)/2], took[len(took)*99/100], sum/time.Duration(len(took))
	}
	return f
}

// wait delays a caller to its share of the rate.
func (l load) wait(begin time.Time, caller, n int) bool {
	if l.rate == 0 {
		return true
	}
	pace := time.Duration(float64(l.callers) / l.rate * float64(time.Second))
	at := pace*time.Duration(n) + pace*time.Duration(caller)/time.Duration(l.callers)
	if at > l.lasting {
		return false
	}
	time.Sleep(at - time.Since(begin))
	return true
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
