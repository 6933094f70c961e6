package audit

import (
	"fmt"
	"time"

	"elsom/internal/checkpoint"
	"elsom/internal/database"
	"elsom/internal/translog"
)

// checkLog compares the log with the signed rows and recomputes it.
func (r *Result) checkLog(tx *database.Tx, keys *checkpoint.Keys, since time.Time) error {
	first := len(r.Checks)
	for _, proves := range translog.Rules {
		r.Checks = append(r.Checks, Check{Invariant: "log", Proves: proves})
	}
	report, err := translog.Check(tx, keys, since, func(rule translog.Rule, line string) {
		r.found(first+int(rule), "log: "+line)
	})
	r.Log = report
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return nil
}

func (p *printer) log(l translog.Report, at time.Time) {
	p.line("  %-24s %12d", "log: sealed records", l.Size)
	unsealed := ""
	if l.Unsealed > 0 {
		unsealed = fmt.Sprintf("  (the oldest for %s)", at.Sub(l.Oldest).Round(time.Second))
	}
	p.line("  %-24s %12d%s", "log: unsealed records", l.Unsealed, unsealed)
	switch {
	case l.NoKey:
		p.line("  %-24s %s", "log: checkpoint", "signature not verified: ELSOM_CHECKPOINT_KEY is not set")
	case l.Head == nil:
		p.line("  %-24s %s", "log: checkpoint", "none that is signed")
	default:
		p.line("  %-24s %s", "log: checkpoint", l.Head)
	}
	if l.TooMany {
		p.line("  %-24s %s", "log", "too many records are unsealed: whether every signed row is among them was not tried")
	}
}
