package ledger

import (
	"time"

	"elsom/internal/signature"
)

// TransferRecord returns the canonical form of a transfer with its entries: the posting
// as it was posted, and its hash as it is stored. It is stored in signatures and in the
// log, so it never changes.
func TransferRecord(id int64, p Posting, hash string, postedAt time.Time) *signature.Record {
	r := signature.NewRecord(signature.Transfer, id).Text(p.Key).Text(hash).Text(p.Op)
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
