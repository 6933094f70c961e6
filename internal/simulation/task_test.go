package simulation_test

import (
	"fmt"
	"runtime"
	"slices"
)

// task is work of a process that may wait for an adapter. One task runs at a time;
// it stops only where it parks.
type task struct {
	process *process
	what    string
	where   string // while it is parked
	resumed chan struct{}
	stopped chan bool // true: it has ended
}

// start starts work in a process and returns when it parks or ends, or its process
// is dead.
func (s *simulation) start(p *process, what string, work func()) *task {
	t := &task{process: p, what: what, resumed: make(chan struct{}), stopped: make(chan bool, 1)}
	go func() {
		<-t.resumed
		defer func() {
			// The process is dead, or the work is done.
			if r := recover(); r != nil {
				s.failf("panic in %s: %v", what, r)
			}
			t.stopped <- true
		}()
		work()
	}()
	s.resume(t)
	return t
}

// resume resumes a parked task.
func (s *simulation) resume(t *task) {
	s.tasks = slices.DeleteFunc(s.tasks, func(other *task) bool { return other == t })
	before, beforeTask := s.running, s.at
	s.running, s.at = t.process, t
	select {
	case t.resumed <- struct{}{}:
	case <-t.process.died:
	}
	var ended bool
	select {
	case ended = <-t.stopped:
	case <-t.process.died:
		ended = true
	}
	s.running, s.at = before, beforeTask
	if !ended {
		s.tasks = append(s.tasks, t)
	}
	if t.process.dead.Load() {
		s.remove(t.process)
	}
}

// remove removes a dead process with its tasks.
func (s *simulation) remove(p *process) {
	p.waitClosed()
	s.tasks = slices.DeleteFunc(s.tasks, func(t *task) bool { return t.process == p })
	s.processes = slices.DeleteFunc(s.processes, func(other *process) bool { return other == p })
	s.planned = plannedFault{}
	if len(s.processes) == 0 {
		s.processes = append(s.processes, s.open())
	}
}

// park stops the running task until it is resumed. For a task of a dead process it
// does not return.
func (p *process) park(where string) {
	p.exitIfDead()
	t := p.simulation.at
	t.where = where
	t.stopped <- false
	select {
	case <-t.resumed:
	case <-p.died:
	}
	p.exitIfDead()
}

func (p *process) exitIfDead() {
	if p.dead.Load() {
		runtime.Goexit()
	}
}

func (s *simulation) logf(format string, args ...any) {
	s.trace = append(s.trace, fmt.Sprintf("%s  ", s.clock.Format("02 15:04:05.000000"))+fmt.Sprintf(format, args...))
}

// failf ends the simulation with a failure.
func (s *simulation) failf(format string, args ...any) {
	if s.failure == "" {
		s.failure = fmt.Sprintf(format, args...)
	}
}
