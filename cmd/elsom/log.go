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
	// logBuffer bounds the lines that wait for a slow reader, in bytes: a few
	// minutes of a busy portal.
	logBuffer = 1 << 20
	// logFlush bounds how long the program waits for the reader before it exits.
	logFlush = 2 * time.Second
	// logPause is the shortest time between two writes: under load many lines are
	// written at once. A line after a pause is written immediately.
	logPause = 5 * time.Millisecond
)

// logs is the program's log.
var logs = newLogWriter(os.Stderr, logBuffer)

// A logWriter writes lines in the background, so that a reader of the log that
// stalls or goes away neither blocks nor ends the program. Lines beyond its
// buffer, and lines that could not be written, are dropped and counted; the
// count is logged as soon as something can be written again.
type logWriter struct {
	out     io.Writer
	max     int
	dropped atomic.Int64 // lines, since the start

	mu      sync.Mutex
	waiting []byte
	wake    chan struct{}
	idle    chan struct{} // closed and replaced when everything is written
	busy    bool
}

func newLogWriter(out io.Writer, capacity int) *logWriter {
	w := &logWriter{out: out, max: capacity, wake: make(chan struct{}, 1), idle: make(chan struct{})}
	go w.work()
	return w
}

// Write buffers whole lines. It never blocks and never fails.
func (w *logWriter) Write(lines []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	//mutant:drop TestLogOfStalledReader
	if len(w.waiting)+len(lines) > w.max {
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

// work writes buffered lines until the program exits.
func (w *logWriter) work() {
	var spare []byte
	reported := int64(0) // dropped lines
	var written time.Time
	for range w.wake {
		time.Sleep(logPause - time.Since(written))
		w.mu.Lock()
		lines := w.waiting
		w.waiting = spare[:0]
		w.mu.Unlock()
		//mutant:replace && w.write(droppedLine(lost-reported)) => TestLogOfStalledReader
		if lost := w.dropped.Load(); lost > reported && w.write(droppedLine(lost-reported)) {
			reported = lost
		}
		w.write(lines)
		spare, written = lines, time.Now()

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

// droppedLine returns the log line that reports dropped lines. If it can't be
// written it is counted as dropped itself.
func droppedLine(lines int64) []byte {
	var line bytes.Buffer
	slog.New(slog.NewJSONHandler(&line, nil)).Warn("log: lines dropped because the reader was too slow", "lines", lines)
	return line.Bytes()
}

// flush waits until everything is written, at most logFlush.
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

// readerGone reports whether err is only that standard output was closed by its
// reader; the command itself has succeeded.
func readerGone(err error) bool {
	var failed *fs.PathError
	return errors.As(err, &failed) && failed.Path == os.Stdout.Name() && errors.Is(failed, syscall.EPIPE)
}
