package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// logBuffer is how much of the log waits for a slow reader: some minutes of
	// a busy portal.
	logBuffer = 1 << 20
	// logFlush bounds how long the end of the program waits for the reader.
	logFlush = 2 * time.Second
)

// logs is the program's log.
var logs = newLogWriter(os.Stderr, logBuffer)

// A logWriter writes lines in the background, so that a reader of the log that
// stalls or goes away neither blocks nor ends the program. Lines beyond its
// buffer, and lines that could not be written, are dropped and counted; the
// count is logged as soon as something can be written again.
type logWriter struct {
	out     io.Writer
	most    int
	dropped atomic.Int64 // in all

	mu      sync.Mutex
	waiting []byte
	wake    chan struct{}
	idle    chan struct{} // closed, and made anew, when nothing waits any more
	busy    bool
}

func newLogWriter(out io.Writer, most int) *logWriter {
	w := &logWriter{out: out, most: most, wake: make(chan struct{}, 1), idle: make(chan struct{})}
	go w.work()
	return w
}

// Write takes whole lines; it never fails.
func (w *logWriter) Write(lines []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting)+len(lines) > w.most {
		w.dropped.Add(int64(bytes.Count(lines, newline)))
		return len(lines), nil
	}
	w.waiting = append(w.waiting, lines...)
	w.busy = true
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return len(lines), nil
}

var newline = []byte("\n")

// work writes what waits, as long as the program runs.
func (w *logWriter) work() {
	var spare []byte
	told := int64(0) // of the dropped lines
	for range w.wake {
		w.mu.Lock()
		lines := w.waiting
		w.waiting = spare[:0]
		w.mu.Unlock()
		if lost := w.dropped.Load(); lost > told && w.write(droppedLine(lost-told)) {
			told = lost
		}
		w.write(lines)
		spare = lines

		w.mu.Lock()
		if len(w.waiting) == 0 {
			w.busy = false
			close(w.idle)
			w.idle = make(chan struct{})
		}
		w.mu.Unlock()
	}
}

// write reports whether all of the lines were written.
func (w *logWriter) write(lines []byte) bool {
	n, err := w.out.Write(lines)
	if err != nil {
		w.dropped.Add(int64(bytes.Count(lines[n:], newline)))
	}
	return err == nil
}

// droppedLine counts itself among the dropped where it can't be written, so the
// next one tells of it too.
func droppedLine(lines int64) []byte {
	var line bytes.Buffer
	slog.New(slog.NewJSONHandler(&line, nil)).Warn("log: lines were dropped, since nobody read them", "lines", lines)
	return line.Bytes()
}

// flush waits until everything is written, for a bounded time.
func (w *logWriter) flush() {
	w.mu.Lock()
	busy, idle := w.busy, w.idle
	w.mu.Unlock()
	if !busy {
		return
	}
	select {
	case <-idle:
	case <-time.After(logFlush):
	}
}

// readerGone reports whether a command's error is only that nobody reads its
// output any more: what it did stays done.
func readerGone(err error) bool {
	var failed *fs.PathError
	return errors.As(err, &failed) && failed.Path == os.Stdout.Name() && errors.Is(failed, syscall.EPIPE)
}
