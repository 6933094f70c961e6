package simulation_test

import (
	"fmt"
	"runtime"
	"slices"
)

// task is work of a process that may wait for the world in the middle of it.
// One task runs at a time; it stops only where it parks.
type task struct {
	process *process
	what    string
	where   string // while it is parked
	onward  chan struct{}
	stopped chan bool // true: it has ended
}

// begin starts work in a process, and goes on with the life when it parks, has
// ended, or its process is dead.
func (l *life) begin(p *process, what string, work func()) *task {
	t := &task{process: p, what: what, onward: make(chan struct{}), stopped: make(chan bool, 1)}
	go func() {
		<-t.onward
		defer func() {
			// The process is dead, or the work is done.
			if r := recover(); r != nil {
				l.wrong("panic in %s: %v", what, r)
			}
			t.stopped <- true
		}()
		work()
	}()
	l.let(t)
	return t
}

// let runs a task on.
func (l *life) let(t *task) {
	l.tasks = slices.DeleteFunc(l.tasks, func(other *task) bool { return other == t })
	before, beforeTask := l.running, l.at
	l.running, l.at = t.process, t
	select {
	case t.onward <- struct{}{}:
	case <-t.process.died:
	}
	var ended bool
	select {
	case ended = <-t.stopped:
	case <-t.process.died:
		ended = true
	}
	l.running, l.at = before, beforeTask
	if !ended {
		l.tasks = append(l.tasks, t)
	}
	if t.process.dead.Load() {
		l.funeral(t.process)
	}
}

// funeral takes a dead process out of the life, with all that it was doing.
func (l *life) funeral(p *process) {
	p.bury()
	l.tasks = slices.DeleteFunc(l.tasks, func(t *task) bool { return t.process == p })
	l.processes = slices.DeleteFunc(l.processes, func(other *process) bool { return other == p })
	l.fuse = fuse{}
	if len(l.processes) == 0 {
		l.processes = append(l.processes, l.open())
	}
}

// park stops the running task at a point outside, until the life lets it on. A
// task of a dead process never comes back from it.
func (p *process) park(where string) {
	p.mustLive()
	t := p.life.at
	t.where = where
	t.stopped <- false
	select {
	case <-t.onward:
	case <-p.died:
	}
	p.mustLive()
}

func (p *process) mustLive() {
	if p.dead.Load() {
		runtime.Goexit()
	}
}

func (l *life) say(format string, args ...any) {
	l.story = append(l.story, fmt.Sprintf("%s  ", l.clock.Format("02 15:04:05.000000"))+fmt.Sprintf(format, args...))
}

// wrong ends a life with what is wrong in it.
func (l *life) wrong(format string, args ...any) {
	if l.failure == "" {
		l.failure = fmt.Sprintf(format, args...)
	}
}
