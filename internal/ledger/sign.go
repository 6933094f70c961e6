package ledger

import (
	"time"

	"elsom/internal/signature"
)

// recordOf returns the canonical form of a transfer with its entries. It is stored in
// signatures and in the log, so it never changes.
func recordOf(a *acceptedPosting, postedAt time.Time) *signature.Record {
	p := a.job.posting
	r := signature.NewRecord(signature.Transfer, a.id).Text(p.Key).Text(a.job.hash).Text(p.Op)
	if p.Corrects == 0 {
		r.Absent()
	} else {
		r.Int(p.Corrects)
	}
	if p.Subject.Type == "" {
		r.Absent().Absent()
	} else {
		r.Text(string(p.Subject.Type)).Int(p.Subject.ID)
	}
	r.Time(postedAt).Int(int64(len(p.Entries)))
	for line, e := range p.Entries {
		r.Int(int64(line)).Int(e.Account).Int(int64(e.Amount))
	}
	return r
}
