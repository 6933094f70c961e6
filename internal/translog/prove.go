package translog

import (
	"bytes"
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"elsom/internal/checkpoint"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/origin"
	"elsom/internal/receipt"
	"elsom/internal/signature"
)

// Receipt returns the receipt of a payment: its record, that of its end if it has ended,
// and the proofs that both are in the log. It returns fault.NotFound if they are not
// sealed, or if there is no checkpoint, and fault.Unknown while a failover may lose it.
func (l *Log) Receipt(ctx context.Context, payment int64) (r receipt.Receipt, err error) {
	const op = "translog.receipt"
	var head checkpoint.Checkpoint
	err = l.db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
		state, err := readState(inTx(tx))
		switch {
		case err != nil:
			return err
		case state.Checkpoint == "" || l.keys == nil:
			return fault.New(fault.NotFound, op, "")
		}
		if head, err = l.openHead(inTx(tx), state); err != nil {
			return err
		}
		end, err := readEnd(inTx(tx), payment)
		if err != nil {
			return err
		}
		r.Checkpoint = state.Checkpoint
		for kind, id := range map[signature.Kind]int64{signature.Payment: payment, signature.Transfer: end} {
			if id == 0 {
				continue
			}
			proved, err := prove(tx, kind, id, head.Size, head.Root)
			if err != nil {
				return err
			}
			if kind == signature.Payment {
				r.Payment = *proved
			} else {
				r.End = proved
			}
		}
		return nil
	})
	//mutant:replace err == nil => false TestHeadIsUnknownWithoutTheStandby
	if err == nil {
		err = l.waitDurable(ctx, head.Tree)
	}
	return r, fault.Wrap(op, err)
}

// Verified returns what the receipt of a payment proves, as its file does to others. Its
// errors are those of Receipt; fault.Internal if the receipt is not accepted.
func (l *Log) Verified(ctx context.Context, payment int64) (receipt.Payment, error) {
	const op = "translog.verified"
	r, err := l.Receipt(ctx, payment)
	if err != nil {
		return receipt.Payment{}, err
	}
	file, err := r.Encode()
	if err != nil {
		return receipt.Payment{}, fault.Wrap(op, err)
	}
	paid, err := receipt.Verify(bytes.NewReader(file), l.keys)
	return paid, fault.Wrap(op, err)
}

// prove returns the record of a row and the proof that the tree has it.
func prove(tx *database.Tx, kind signature.Kind, id, size int64, root tlog.Hash) (*receipt.Record, error) {
	notFound := fault.New(fault.NotFound, "translog.prove", "")
	table, ok := origin.Of(kind)
	if !ok {
		return nil, notFound
	}
	rows, err := table.Read(tx, id-1, id+1, 1)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || len(rows[0].MAC) == 0 {
		return nil, notFound
	}
	content := tlog.Hash(rows[0].Record.LeafHash(rows[0].MAC))
	index, err := find(inTx(tx), item{kind.Code(), id, content})
	if err != nil {
		return nil, err
	}
	if index < 0 {
		return nil, notFound
	}
	proof, err := tlog.ProveRecord(size, index, newTileReader(inTx(tx)))
	if err != nil {
		return nil, err
	}
	r, err := receipt.NewRecord(table, rows[0])
	if err != nil {
		return nil, err
	}
	r.Index, r.Proof = index, proof
	if err := r.Check(size, root); err != nil {
		return nil, damaged("%v", err)
	}
	return r, nil
}

// find returns the index of a record; -1 if it is not sealed.
func find(g reader, it item) (int64, error) {
	firsts, err := sealsOf(g, database.LogBucket(it.id))
	if err != nil {
		return 0, err
	}
	want := string(it.append(nil))
	for _, first := range firsts {
		s, err := readSeal(g, first)
		if err != nil {
			return 0, err
		}
		for i := range int64(len(s.Records) / signature.ItemSize) {
			if string(s.Records[i*signature.ItemSize:(i+1)*signature.ItemSize]) == want {
				return first + i, nil
			}
		}
	}
	return -1, nil
}
