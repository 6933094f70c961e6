package signature

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"
)

// Kind is the kind of a signed row. It is a part of what is signed, so that a row
// of one table is never taken for a row of another.
type Kind string

// The kinds.
const (
	Transfer       Kind = "transfer" // with its entries
	Payment        Kind = "payment"
	CashIn         Kind = "cash_in"
	WalletTransfer Kind = "wallet_transfer"
	Decision       Kind = "decision"
	Claim          Kind = "claim"
	Settlement     Kind = "settlement"
	Agent          Kind = "agent"
	Catalog        Kind = "catalog"
	Customer       Kind = "customer"
	SigningStart   Kind = "signing_start"
	Operation      Kind = "operation" // of the operator log
	Attempt        Kind = "attempt"   // a call to a biller
	Gateway        Kind = "gateway"
	Login          Kind = "login" // of a customer
	Batch          Kind = "batch" // of records, which a transaction queued for the log
)

// The kinds of drafts. They are not in Kinds, because drafts are deleted after a day: no
// list of records has them.
const (
	PaymentDraft  Kind = "payment_draft"
	TransferDraft Kind = "wallet_transfer_draft"
)

// Kinds are all kinds that the log has. The position of a kind is its code in stored lists of
// records, so kinds are only added at the end.
var Kinds = []Kind{Transfer, Payment, CashIn, WalletTransfer, Decision, Claim, Settlement, Agent, Catalog, Customer, SigningStart, Operation, Attempt, Gateway, Login, Batch}

// Code returns the kind's code in stored lists of records, from 1 on; 0 for an
// unknown kind.
func (k Kind) Code() byte {
	for i, known := range Kinds {
		if k == known {
			return byte(i + 1)
		}
	}
	return 0
}

// KindOf returns the kind of a code, and whether there is one.
func KindOf(code byte) (Kind, bool) {
	if code == 0 || int(code) > len(Kinds) {
		return "", false
	}
	return Kinds[code-1], true
}

// format is the first byte of every canonical form. It changes only if the form
// does.
const format = 1

// The types of fields in the canonical form.
const (
	typeText   = 't'
	typeInt    = 'i'
	typeBool   = 'b'
	typeTime   = 'm' // microseconds since 1970
	typeAbsent = 'n'
)

// Record is the canonical form of a row: its kind, its id and then its fields in an
// order that the row's package defines and never changes. Every field has its type,
// and texts their length, so that different rows never have the same bytes.
//
// The values are those that are stored: times are in whole microseconds, a column
// that is NULL is Absent.
type Record struct {
	kind Kind
	id   int64
	form *form // nil: released
}

// form is the memory of a canonical form.
type form struct {
	leaf []byte // a leaf of the log without the mac: a zero byte and the canonical form
}

// forms holds the memory of released records. Records themselves are not used again: a
// use after Release would act on the bytes of another row.
var forms = sync.Pool{New: func() any { return &form{make([]byte, 0, 512)} }}

// NewRecord returns the record of a row that has no fields yet.
func NewRecord(kind Kind, id int64) *Record {
	r := &Record{kind, id, forms.Get().(*form)}
	r.form.leaf = append(r.form.leaf[:0], 0, format)
	return r.Text(string(kind)).Int(id)
}

// Release makes the memory of a record available to later ones. The record keeps its kind
// and id; its other methods panic afterwards. Records need not be released.
func (r *Record) Release() {
	//mutant:drop TestUseAfterReleasePanics
	if r.form == nil {
		panic("signature: a record is released twice")
	}
	forms.Put(r.form)
	//mutant:drop TestUseAfterReleasePanics
	r.form = nil
}

// Kind returns the kind of the row.
func (r *Record) Kind() Kind { return r.kind }

// ID returns the id of the row.
func (r *Record) ID() int64 { return r.id }

// Text adds a text.
func (r *Record) Text(s string) *Record {
	r.form.leaf = binary.AppendUvarint(append(r.form.leaf, typeText), uint64(len(s)))
	r.form.leaf = append(r.form.leaf, s...)
	return r
}

// Int adds a number.
func (r *Record) Int(n int64) *Record { return r.number(typeInt, n) }

// Bool adds a truth value.
func (r *Record) Bool(b bool) *Record {
	r.form.leaf = append(r.form.leaf, typeBool, 0)
	if b {
		r.form.leaf[len(r.form.leaf)-1] = 1
	}
	return r
}

// Time adds a time in microseconds; the zero time is Absent.
func (r *Record) Time(t time.Time) *Record {
	if t.IsZero() {
		return r.Absent()
	}
	return r.number(typeTime, t.UnixMicro())
}

// Absent adds a field without a value, as NULL is.
func (r *Record) Absent() *Record {
	r.form.leaf = append(r.form.leaf, typeAbsent)
	return r
}

func (r *Record) number(kind byte, n int64) *Record {
	r.form.leaf = binary.BigEndian.AppendUint64(append(r.form.leaf, kind), uint64(n))
	return r
}

// Bytes returns the canonical form. It is valid until a field is added or the record
// is released.
func (r *Record) Bytes() []byte { return r.form.leaf[1:] }

// LeafHash returns the hash of a signed row in the log: that of a leaf of RFC 6962
// whose data is the canonical form followed by the mac. The mac keeps the content
// from being guessed from the hash.
func (r *Record) LeafHash(mac []byte) [sha256.Size]byte {
	return sha256.Sum256(append(r.form.leaf, mac...))
}

// Item is an element of a stored list of records: a signed row and the hash of its
// leaf in the log.
type Item struct {
	Kind Kind
	ID   int64
	Leaf [sha256.Size]byte
}

// ItemSize is the size of an element of a stored list in bytes: the kind's code, the
// id in big-endian order, the leaf's hash.
const ItemSize = 1 + 8 + sha256.Size

// AppendItem appends an element to a stored list.
func AppendItem(list []byte, item Item) []byte {
	list = append(list, item.Kind.Code())
	list = binary.BigEndian.AppendUint64(list, uint64(item.ID))
	return append(list, item.Leaf[:]...)
}

// ParseItems returns the elements of a stored list, and whether it is one.
func ParseItems(list []byte) (items []Item, ok bool) {
	if len(list)%ItemSize != 0 {
		return nil, false
	}
	items = make([]Item, 0, len(list)/ItemSize)
	for ; len(list) > 0; list = list[ItemSize:] {
		kind, known := KindOf(list[0])
		if !known {
			return nil, false
		}
		item := Item{Kind: kind, ID: int64(binary.BigEndian.Uint64(list[1:]))}
		copy(item.Leaf[:], list[9:ItemSize])
		items = append(items, item)
	}
	return items, true
}
