package audit

import (
	"fmt"
	"time"

	"elsom/internal/database"
	"elsom/internal/translog"
)

// sealedWithin is how old the queue's oldest record may be without a warning: a sealer
// works each second.
const sealedWithin = time.Minute

// checkLog compares the log with the signed rows and recomputes it.
func (r *Result) checkLog(tx *database.Tx, outside Outside, since time.Time) error {
	first := len(r.Checks)
	for _, proves := range translog.Rules {
		r.Checks = append(r.Checks, Check{Invariant: "log", Proves: proves})
	}
	report, err := translog.Check(tx, outside.Keys, outside.Witness, since, func(rule translog.Rule, line string) {
		r.found(first+int(rule), "log: "+line)
	})
	r.Log = report
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	if report.NoKey {
		r.Checks[first+int(translog.SignedHead)].NotChecked = "ELSOM_CHECKPOINT_KEY is not set"
	}
	if report.NoKey || outside.Witness == "" {
		r.Checks[first+int(translog.Witnessed)].NotChecked = "there is none, or no key"
	}
	if report.NoBooksKey {
		r.Checks[first+int(translog.AllQueued)].NotChecked = "there is no key of the books"
	}
	if report.TooMany {
		r.Checks[first+int(translog.AllSealed)].NotChecked = "too many records are unsealed"
	}
	//mutant:drop TestOldQueueIsReported
	if waited := r.At.Sub(report.Oldest); report.Unsealed > 0 && waited > sealedWithin {
		r.Warnings = append(r.Warnings, fmt.Sprintf("records wait for the log since %s: no portal runs, or its sealer has stopped (elsom_log_stopped); "+
			"what is removed meanwhile leaves no trace in the log", waited.Round(time.Second)))
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
		p.line("  %-24s %s, %s ago", "log: checkpoint", l.Head, at.Sub(l.Head.At).Round(time.Second))
	}
	if l.TooMany {
		p.line("  %-24s %s", "log", "too many records are unsealed: whether every signed row is among them was not tried")
	}
}
