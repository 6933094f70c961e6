// Package receipt is the receipt of a payment as a file that proves itself: the signed
// records of the payment and of its end, with proofs that they are in the log at a signed
// checkpoint.
//
// Verify needs the log's public key and nothing else: no database and no other secret.
// What it doesn't refuse was in the books at that checkpoint exactly as it is in the
// file. The package touches no database.
package receipt

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"elsom/internal/checkpoint"
	"elsom/internal/money"
	"elsom/internal/origin"
	"elsom/internal/signature"
)

// MaxSize is the largest size of a receipt's file in bytes.
const MaxSize = 64 << 10

// Format is the value of a receipt's field format.
const Format = "elsom receipt 1"

// Receipt is the content of the file.
type Receipt struct {
	Format     string  `json:"format"`
	Checkpoint string  `json:"checkpoint"`
	Payment    Record  `json:"payment"`
	End        *Record `json:"end,omitempty"` // nil: it had not ended
}

// Record is a signed row with the proof that it is in the log.
type Record struct {
	ID     string           `json:"id"`
	Fields []Field          `json:"fields"`
	Lines  [][]string       `json:"lines,omitempty"`
	MAC    []byte           `json:"mac"`
	Index  int64            `json:"index"`
	Proof  tlog.RecordProof `json:"proof"`
	table  origin.Table
}

// Field is a column of the row. Its value is null where that is NULL.
type Field struct {
	Name  string  `json:"name"`
	Value *string `json:"value"`
}

// EndKey returns the request key of the transfer that ends a payment.
func EndKey(payment int64) string { return "payment:" + strconv.FormatInt(payment, 10) + ":end" }

// Encode returns the file.
func (r Receipt) Encode() ([]byte, error) {
	r.Format = Format
	text, err := json.MarshalIndent(r, "", "  ")
	return append(text, '\n'), err
}

// NewRecord returns a row without its proof.
func NewRecord(table origin.Table, row origin.Row) (*Record, error) {
	r := &Record{ID: strconv.FormatInt(row.Record.ID(), 10), MAC: row.MAC, table: table}
	values, err := decode(row.Record.Bytes())
	if err != nil {
		return nil, err
	}
	if len(values) < 2+len(table.Fields) { // after the kind and the id
		return nil, errRecord
	}
	for i, f := range table.Fields {
		r.Fields = append(r.Fields, Field{Name: f.Column, Value: values[2+i]})
	}
	if table.Lines == nil {
		return r, nil
	}
	columns := len(table.Lines.Columns)
	for rest := values[2+len(table.Fields)+1:]; len(rest) >= columns; rest = rest[columns:] {
		line := make([]string, columns)
		for i := range line {
			if rest[i] == nil {
				return nil, errRecord
			}
			line[i] = *rest[i]
		}
		r.Lines = append(r.Lines, line)
	}
	return r, nil
}

var errRecord = errors.New("receipt: a record has another form")

// decode returns the values of a record's canonical form as texts; nil for absent ones.
func decode(data []byte) (values []*string, err error) {
	if len(data) == 0 {
		return nil, errRecord
	}
	add := func(s string) { values = append(values, &s) }
	for data = data[1:]; len(data) > 0; {
		kind := data[0]
		data = data[1:]
		switch kind {
		case 'n':
			values = append(values, nil)
		case 't':
			length, n := binary.Uvarint(data)
			if n <= 0 || uint64(len(data)-n) < length {
				return nil, errRecord
			}
			add(string(data[n : n+int(length)]))
			data = data[n+int(length):]
		case 'i', 'm':
			if len(data) < 8 {
				return nil, errRecord
			}
			number := int64(binary.BigEndian.Uint64(data))
			data = data[8:]
			if kind == 'm' {
				add(time.UnixMicro(number).UTC().Format(time.RFC3339Nano))
			} else {
				add(strconv.FormatInt(number, 10))
			}
		default:
			return nil, errRecord
		}
	}
	return values, nil
}

// record returns the canonical form of the row and its id.
func (r *Record) record() (*signature.Record, error) {
	id, err := strconv.ParseInt(r.ID, 10, 64)
	if err != nil || len(r.Fields) != len(r.table.Fields) || (r.table.Lines == nil) != (r.Lines == nil) || len(r.MAC) != sha256.Size {
		return nil, errRecord
	}
	record := signature.NewRecord(r.table.Kind, id)
	for i, f := range r.table.Fields {
		if r.Fields[i].Name != f.Column {
			return nil, errRecord
		}
		if err := addField(record, f.Type, r.Fields[i].Value); err != nil {
			return nil, err
		}
	}
	if r.table.Lines == nil {
		return record, nil
	}
	record.Int(int64(len(r.Lines)))
	for _, line := range r.Lines {
		if len(line) != len(r.table.Lines.Columns) {
			return nil, errRecord
		}
		for i := range line {
			if err := addField(record, origin.Int, &line[i]); err != nil {
				return nil, err
			}
		}
	}
	return record, nil
}

func addField(record *signature.Record, kind origin.Type, value *string) error {
	if value == nil {
		record.Absent()
		return nil
	}
	switch kind {
	case origin.Text:
		record.Text(*value)
	case origin.Int:
		n, err := strconv.ParseInt(*value, 10, 64)
		if err != nil {
			return errRecord
		}
		record.Int(n)
	case origin.Time:
		at, err := time.Parse(time.RFC3339Nano, *value)
		if err != nil {
			return errRecord
		}
		record.Time(at)
	default:
		return errRecord
	}
	return nil
}

// errNotProved reports a record that is not in the log, or not as it is in the file.
var errNotProved = errors.New("it was changed, or was not in the books at this checkpoint")

// Check returns an error unless the tree of that size and root has the record.
func (r *Record) Check(size int64, root tlog.Hash) error {
	record, err := r.record()
	if err != nil {
		return err
	}
	leaf := signature.AppendItem(nil, signature.Item{Kind: record.Kind(), ID: record.ID(), Leaf: record.LeafHash(r.MAC)})
	//mutant:drop ./internal/translog TestForgedReceiptIsRefused
	if err := tlog.CheckRecord(r.Proof, size, root, r.Index, tlog.RecordHash(leaf)); err != nil {
		return errNotProved
	}
	return nil
}

// value returns the value of a field; empty if it is absent.
func (r *Record) value(name string) string {
	for _, f := range r.Fields {
		if f.Name == name && f.Value != nil {
			return *f.Value
		}
	}
	return ""
}

// State is the state of a payment in a verified receipt.
type State string

// The states.
const (
	Accepted  State = "accepted" // and not ended at the checkpoint, as far as the file says
	Completed State = "completed"
	Refunded  State = "refunded"
)

// Payment is what a verified receipt says.
type Payment struct {
	Code, Biller, Service string
	Account, Payee        string // the company's taxpayer number, or what the service asks for
	Amount, Fee           money.Amount
	AcceptedAt, EndedAt   time.Time
	State                 State
	Checkpoint            checkpoint.Checkpoint
}

// ErrUnreadable reports a file that is not a receipt.
var ErrUnreadable = errors.New("it is not a receipt of this program")

// Verify reads a receipt and verifies it with the log's public key. An error says why it is
// refused.
func Verify(file io.Reader, keys *checkpoint.Keys) (Payment, error) {
	text, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	if err != nil {
		return Payment{}, err
	}
	if len(text) > MaxSize {
		return Payment{}, fmt.Errorf("%w: it is larger than %d bytes", ErrUnreadable, MaxSize)
	}
	var r Receipt
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil || decoder.More() || r.Format != Format {
		return Payment{}, ErrUnreadable
	}
	head, err := keys.Open(r.Checkpoint)
	if err != nil {
		return Payment{}, fmt.Errorf("the checkpoint: %w", err)
	}
	if r.Payment.table, err = tableOf(signature.Payment); err == nil {
		err = r.Payment.Check(head.Size, head.Root)
	}
	if err != nil {
		return Payment{}, fmt.Errorf("the payment: %w", err)
	}
	paid, err := r.Payment.payment()
	if err != nil {
		return Payment{}, fmt.Errorf("the payment: %w", err)
	}
	paid.Checkpoint = head
	if r.End == nil {
		return paid, nil
	}
	if r.End.table, err = tableOf(signature.Transfer); err == nil {
		err = r.End.Check(head.Size, head.Root)
	}
	if err == nil {
		err = paid.end(r.Payment.ID, r.End)
	}
	if err != nil {
		return Payment{}, fmt.Errorf("the end of the payment: %w", err)
	}
	return paid, nil
}

func tableOf(kind signature.Kind) (origin.Table, error) {
	table, ok := origin.Of(kind)
	if !ok {
		return table, errRecord
	}
	return table, nil
}

func (r *Record) payment() (Payment, error) {
	amount, first := strconv.ParseInt(r.value("amount"), 10, 64)
	fee, second := strconv.ParseInt(r.value("fee"), 10, 64)
	at, third := time.Parse(time.RFC3339Nano, r.value("accepted_at"))
	if errors.Join(first, second, third) != nil {
		return Payment{}, errRecord
	}
	return Payment{
		Code: r.value("code"), Biller: r.value("biller"), Service: r.value("service"), Account: r.value("identifier"), Payee: r.value("payee"),
		Amount: money.Amount(amount), Fee: money.Amount(fee), AcceptedAt: at, State: Accepted,
	}, nil
}

// end adds the end, whose transfer must be this payment's.
func (p *Payment) end(id string, r *Record) (err error) {
	//mutant:drop ./internal/translog TestForgedReceiptIsRefused
	if r.value("request_key") != "payment:"+id+":end" {
		return errors.New("it is that of another payment")
	}
	switch r.value("act") {
	case "payment.settle":
		p.State = Completed
	case "payment.refund":
		p.State = Refunded
	default:
		return errRecord
	}
	p.EndedAt, err = time.Parse(time.RFC3339Nano, r.value("posted_at"))
	return err
}
