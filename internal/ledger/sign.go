package ledger

import (
	"time"

	"elsom/internal/money"
	"elsom/internal/signature"
)

// SignedTransfer is what the signature of a transfer covers: its row and its entries.
type SignedTransfer struct {
	ID          int64
	Key         string // the request key
	RequestHash string
	Op          string
	Corrects    int64 // 0: NULL
	Subject     Subject
	PostedAt    time.Time
	Entries     []SignedEntry // in the order of their lines
}

// SignedEntry is an entry of a signed transfer.
type SignedEntry struct {
	Line    int64
	Account int64
	Amount  money.Amount
}

// Record returns the transfer's canonical form. It is stored in signatures and in the
// log, so it never changes.
func (t SignedTransfer) Record() *signature.Record {
	r := header(t.ID, t.Key, t.RequestHash, t.Op, t.Corrects, t.Subject, t.PostedAt, len(t.Entries))
	for _, e := range t.Entries {
		r.Int(e.Line).Int(e.Account).Int(int64(e.Amount))
	}
	return r
}

// recordOf returns the canonical form of an accepted posting, as Record does.
func recordOf(a *acceptedPosting, now time.Time) *signature.Record {
	p := a.job.posting
	r := header(a.id, p.Key, a.job.hash, p.Op, p.Corrects, p.Subject, now, len(p.Entries))
	for line, e := range p.Entries {
		r.Int(int64(line)).Int(e.Account).Int(int64(e.Amount))
	}
	return r
}

func header(id int64, key, hash, op string, corrects int64, subject Subject, postedAt time.Time, entries int) *signature.Record {
	r := signature.NewRecord(signature.Transfer, id).Text(key).Text(hash).Text(op)
	if corrects == 0 {
		r.Absent()
	} else {
		r.Int(corrects)
	}
	if subject.Type == "" {
		r.Absent().Absent()
	} else {
		r.Text(string(subject.Type)).Int(subject.ID)
	}
	return r.Time(postedAt).Int(int64(entries))
}
