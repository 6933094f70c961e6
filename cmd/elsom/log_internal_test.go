package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// pipe is a log whose reader can stall or go away.
type pipe struct {
	mu      sync.Mutex // held while the reader stalls
	text    bytes.Buffer
	gone    bool
	entered chan struct{}
}

func (p *pipe) Write(b []byte) (int, error) {
	select {
	case p.entered <- struct{}{}:
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return 0, errors.New("broken pipe")
	}
	return p.text.Write(b)
}

// lines writes n lines of 100 bytes.
func lines(w *logWriter, n int) {
	for i := range n {
		_, _ = fmt.Fprintf(w, "%099d\n", i)
	}
}

// flushed waits until all lines are written.
func flushed(t *testing.T, w *logWriter) {
	t.Helper()
	for range 100 {
		w.flush()
		w.mu.Lock()
		busy := w.busy
		w.mu.Unlock()
		if !busy {
			return
		}
	}
	t.Fatal("the lines are not written")
}

func TestLogOfStalledReader(t *testing.T) {
	t.Parallel()
	p := &pipe{entered: make(chan struct{}, 1)}
	w := newLogWriter(p, 10_000)
	p.mu.Lock()
	lines(w, 1)
	<-p.entered // the first line is being written
	lines(w, 250)
	if got := w.dropped.Load(); got != 150 {
		t.Errorf("%d lines are dropped, want 150", got)
	}
	p.mu.Unlock()
	flushed(t, w)
	lines(w, 1)
	flushed(t, w)
	text := p.text.String()
	if n := strings.Count(text, "\n"); n != 103 || !strings.Contains(text, `"lines":150`) || strings.Count(text, "dropped") != 1 {
		t.Errorf("%d lines are written, want 102 and one that reports the dropped ones: %s", n, text[max(0, len(text)-500):])
	}
}

func TestLogOfClosedReader(t *testing.T) {
	t.Parallel()
	p := &pipe{gone: true}
	w := newLogWriter(p, 10_000)
	lines(w, 5)
	flushed(t, w)
	if got := w.dropped.Load(); got < 5 {
		t.Errorf("%d lines are counted, want 5 at least", got)
	}
	p.mu.Lock()
	p.gone = false
	p.mu.Unlock()
	lines(w, 1)
	flushed(t, w)
	if text := p.text.String(); strings.Count(text, "\n") != 2 || !strings.HasPrefix(text, `{"time"`) {
		t.Errorf("after the reader came back the log is %s", text)
	}
}

// TestFlushIsBounded checks that a stalled reader doesn't keep the program from
// exiting.
func TestFlushIsBounded(t *testing.T) {
	t.Parallel()
	p := &pipe{}
	w := newLogWriter(p, 10_000)
	p.mu.Lock()
	defer p.mu.Unlock()
	lines(w, 1)
	done := make(chan struct{})
	go func() { w.flush(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("flush does not return")
	}
}
