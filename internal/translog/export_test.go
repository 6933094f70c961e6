package translog

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"elsom/internal/database"
)

// SealLosingTheAnswer seals a batch as Seal does, but the answer of the commit is lost.
func (l *Log) SealLosingTheAnswer(ctx context.Context) error {
	head, err := l.look(ctx)
	if err != nil {
		return err
	}
	b, err := l.prepare(ctx, head)
	if err != nil || b == nil {
		return err
	}
	return l.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error { return b.write(tx) })
}

// PrepareThen prepares a batch, calls then, and commits the batch.
func (l *Log) PrepareThen(ctx context.Context, then func()) error {
	head, err := l.look(ctx)
	if err != nil {
		return err
	}
	b, err := l.prepare(ctx, head)
	if err != nil {
		return err
	}
	then()
	return l.commit(ctx, b)
}

// ErrChanged is errChanged.
var ErrChanged = errChanged

// GrowTree appends leaves and returns the root after each, and all full and last tiles.
func GrowTree(leaves []tlog.Hash) (roots []tlog.Hash, tiles map[[2]int64][]byte) {
	e := &edge{}
	tiles = map[[2]int64][]byte{}
	put := func(at tileAt, hashes []byte) { tiles[[2]int64{at.Level, at.Number}] = hashes }
	for _, leaf := range leaves {
		e.add(leaf, put)
		roots = append(roots, e.root())
	}
	e.partial(put)
	return roots, tiles
}

// ParseBranch parses the text of a branch's note.
func ParseBranch(text string) { _, _ = parseBranch(text) }
