package simulation_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"elsom/internal/testkit"
	"elsom/internal/translog"
)

const sealing = "seal"

// seal seals what is queued for the log, and reports whether anything was.
func (s *simulation) seal(p *process) bool {
	n, err, answered := call(s, p, sealing, p.log.Seal)
	s.logf("%s seals %d records: %v", p.name, n, err)
	s.keepHead()
	stopped := errors.Is(err, translog.ErrRestored) || errors.Is(err, translog.ErrForked) || errors.Is(err, translog.ErrDamaged)
	switch {
	case stopped && p.keys.checkpoints.verifies(s.keys.checkpoints): // others wait for a restart
		s.failf("the log: %v", err)
	case n > 0 && err == nil && answered:
		s.tally.seals++
	}
	return n > 0
}

// keepHead stores the newest checkpoint, as an outside party does.
func (s *simulation) keepHead() {
	var head string
	s.must(s.processes[0].db.Pool().QueryRow("SELECT checkpoint FROM log_state").Scan(&head))
	if head != "" && (len(s.heads) == 0 || s.heads[len(s.heads)-1] != head) {
		s.heads = append(s.heads, head)
	}
}

// beforeTransaction is called when a process begins a transaction. If it is that of a
// batch for the log, which was read before, another process sometimes seals meanwhile, or
// queues something with an older id.
func (s *simulation) beforeTransaction() {
	if s == nil || s.disturbed || !s.faulty || s.at == nil || s.at.what != sealing {
		return
	}
	others := slices.DeleteFunc(slices.Clone(s.processes), func(p *process) bool { return p == s.running })
	if len(others) == 0 || !s.chance(40) {
		return
	}
	s.disturbed = true
	s.tally.overtaken++
	if other := pick(s, others); s.chance(50) {
		s.seal(other)
	} else {
		s.clock = s.clock.Add(-time.Hour)
		s.payIn(other)
		s.clock = s.clock.Add(time.Hour)
	}
	s.disturbed = false
}

// checkLog checks that each signed row is sealed or queued, once.
func (s *simulation) checkLog() {
	if _, err := testkit.CheckLog(context.Background(), s.sandbox.auditor); err != nil {
		s.failf("the log: %v", err)
	}
}

// compareHeads checks that each earlier checkpoint is a prefix of the log.
func (s *simulation) compareHeads() {
	log := translog.New(s.sandbox.auditor, translog.Options{Keys: newestCheckpointKeys})
	for _, head := range s.heads {
		got, err := log.Compare(context.Background(), head)
		if err != nil || got.Abandoned != nil {
			s.failf("the log doesn't extend its earlier checkpoint %q: %v", head, err)
		}
	}
}
