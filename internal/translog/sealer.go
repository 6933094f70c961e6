package translog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"elsom/internal/checkpoint"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/signature"
)

const (
	// maxRecords is the number of records from which on a batch is full.
	maxRecords = 16384
	// maxQueued is the largest number of queue rows of a batch.
	maxQueued = 2000
	// interval is the pause between two looks at the queue.
	interval = time.Second
	// repeatError is how often an error that stays is logged.
	repeatError = time.Minute
)

// batch is what one transaction seals.
type batch struct {
	before, after checkpoint.Tree
	checkpoint    string // of after, signed; empty without a key
	records       []byte
	queued        []int64 // ids of the queue's rows
	tiles         []tileAt
	hashes        [][]byte // of the tiles
	buckets       []int64
	at            time.Time
}

// Run seals what is queued, each second, until ctx ends.
func (l *Log) Run(ctx context.Context) {
	var logged time.Time
	for {
		sealed, err := l.Seal(ctx)
		switch {
		case err == nil:
			logged = time.Time{}
		case ctx.Err() != nil:
		case l.db.Now().Sub(logged) >= repeatError:
			logged = l.db.Now()
			l.report(ctx, err)
		}
		pause := interval
		if sealed >= maxRecords { // there may be more
			pause = interval / 50
		}
		pause += time.Duration(rand.Int64N(int64(pause) / 10)) //nolint:gosec // jitter, so that two sealers don't stay in step
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

func (l *Log) report(ctx context.Context, err error) {
	switch {
	case fault.Is(err, fault.Unavailable), fault.Is(err, fault.Unknown):
		slog.WarnContext(ctx, "log: sealing failed", "error", err)
	case l.stopped.Load():
		slog.ErrorContext(ctx, "log: sealing has stopped, payments go on; see `elsom help log`", "error", err)
	default:
		slog.ErrorContext(ctx, "log: sealing failed", "error", err)
	}
}

// Seal seals one batch of what is queued and returns the number of its records: 0 if
// nothing is queued, or if another sealer was faster.
func (l *Log) Seal(ctx context.Context) (records int, err error) {
	l.sealing.Lock()
	defer l.sealing.Unlock()
	head, err := l.look(ctx)
	l.noteStop(err)
	if err != nil {
		return 0, fault.Wrap("translog.seal", err)
	}
	b, err := l.prepare(ctx, head)
	if errors.Is(err, errChanged) {
		return 0, nil
	}
	if err != nil || b == nil {
		return 0, fault.Wrap("translog.seal", err)
	}
	err = l.commit(ctx, b)
	if errors.Is(err, errChanged) {
		return 0, nil
	}
	return len(b.records) / signature.ItemSize, fault.Wrap("translog.seal", err)
}

// noteStop stores whether an error of look stops the sealer until staff act.
func (l *Log) noteStop(err error) {
	stops := false
	for _, reason := range []error{ErrRestored, ErrForked, ErrDamaged, ErrNoCheckpoint} {
		stops = stops || errors.Is(err, reason)
	}
	if was := l.stopped.Swap(stops); stops && !was {
		l.stops.Add(1)
	}
}

// look reads the log's head and verifies that it extends what is known of it: the last
// checkpoint that this process has seen, or that of the witness file. It returns nil if
// the head is known already and nothing is queued.
func (l *Log) look(ctx context.Context) (*edge, error) {
	g := l.reader(ctx)
	state, err := readState(g)
	if err != nil {
		return nil, err
	}
	waiting, err := hasQueued(g)
	if err != nil {
		return nil, err
	}
	if !waiting && l.known != nil && l.known.Size == state.Size && l.known.Branch == state.Branch {
		return nil, nil
	}
	head, tree, err := l.readHead(ctx, state)
	if err != nil {
		return nil, err
	}
	if err := l.verifyHead(ctx, tree); err != nil {
		return nil, err
	}
	if err := l.verifySigned(state, tree); err != nil {
		return nil, err
	}
	//mutant:drop TestHeadIsUnknownWithoutTheStandby
	if err := l.waitDurable(ctx, tree); err != nil {
		return nil, err
	}
	l.remember(ctx, tree, state.Checkpoint)
	if !waiting {
		return nil, nil
	}
	return head, nil
}

// readHead returns the edge and the tree of a state, which must be those of the newest
// checkpoint.
func (l *Log) readHead(ctx context.Context, state stateRow) (*edge, checkpoint.Tree, error) {
	head, err := readEdge(l.reader(ctx), state.Size)
	if err != nil {
		return nil, checkpoint.Tree{}, err
	}
	tree := checkpoint.Tree{Branch: state.Branch, Size: state.Size, Root: head.root()}
	if state.Checkpoint == "" || l.keys == nil {
		return head, tree, nil
	}
	newest, err := l.keys.Open(state.Checkpoint)
	//mutant:drop TestSealerRefusesDamage
	switch {
	case err != nil:
		return nil, tree, damaged("its newest checkpoint: %v", err)
	case newest.Tree != tree:
		return nil, tree, damaged("its tree is not that of its newest checkpoint")
	}
	return head, tree, nil
}

// verifySigned returns an error if the head has no checkpoint although one could be signed,
// unless it is one that this process or its witness file has seen with a checkpoint; or
// if it has one and this process couldn't sign the next.
func (l *Log) verifySigned(state stateRow, tree checkpoint.Tree) error {
	if !l.keys.CanSign() {
		//mutant:drop TestSealWithoutKey
		if state.Checkpoint != "" {
			return ErrNoCheckpointKey
		}
		return nil
	}
	unsigned, err := l.isUnsigned(state, tree)
	//mutant:replace unsigned => unsigned && false TestNoCheckpointStopsTheSealer
	if err == nil && unsigned {
		err = ErrNoCheckpoint
	}
	return err
}

// isUnsigned reports whether a head has records and no checkpoint is known of it.
func (l *Log) isUnsigned(state stateRow, tree checkpoint.Tree) (bool, error) {
	if state.Checkpoint != "" || tree.Size == 0 || l.known != nil && *l.known == tree {
		return false, nil
	}
	witnessed, err := l.witness.read(l.keys)
	return err == nil && (witnessed == nil || witnessed.Tree != tree), err
}

// remember stores a tree as known, and its checkpoint in the witness file.
func (l *Log) remember(ctx context.Context, tree checkpoint.Tree, checkpoint string) {
	if l.known != nil && l.known.Branch != tree.Branch {
		clear(l.batches)
	}
	l.known = &tree
	if checkpoint == "" {
		return
	}
	if err := l.witness.write(checkpoint); err != nil {
		slog.ErrorContext(ctx, "log: the checkpoint's file can't be written; a restore may remain unnoticed", "error", err)
	}
}

// prepare reads what is queued and returns it as a batch; nil if nothing is queued.
func (l *Log) prepare(ctx context.Context, head *edge) (*batch, error) {
	if head == nil {
		l.refused.Store(0)
		return nil, nil
	}
	rows, err := l.readBatches(ctx)
	if err != nil {
		return nil, err
	}
	b := &batch{at: l.db.Now(), before: *l.known}
	for _, row := range rows {
		b.queued, b.records = append(b.queued, row.ID), append(b.records, row.Records...)
	}
	if len(b.records) == 0 {
		return nil, nil
	}
	return b, b.extend(head, l.keys)
}

// readBatches returns the rows of the queue that may be sealed, up to a batch.
func (l *Log) readBatches(ctx context.Context) (rows []queuedRow, err error) {
	l.refusing = 0
	defer func() { l.refused.Store(l.refusing) }()
	keys, bytes := l.db.Keys(), 0
	err = eachQueued(l.reader(ctx), func(row queuedRow) bool {
		if keys == nil {
			return false // they are left to a portal that has keys
		}
		//mutant:drop TestForgedBatchesAreNotSealed
		if !keys.IsBatch(row.Records, row.ID) {
			l.refuse(ctx, row.ID, "it was queued without a key, or with one that is unknown here")
			return true
		}
		rows, bytes = append(rows, row), bytes+len(row.Records)
		return len(rows) < maxQueued && bytes < maxRecords*signature.ItemSize
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return l.unsealedOf(ctx, rows)
}

// extend appends the batch's records to the tree.
func (b *batch) extend(head *edge, keys *checkpoint.Keys) error {
	b.after.Branch = max(b.after.Branch, b.before.Branch)
	write := func(at tileAt, hashes []byte) {
		b.tiles, b.hashes = append(b.tiles, at), append(b.hashes, hashes)
	}
	buckets := map[int64]bool{}
	for records := b.records; len(records) > 0; records = records[signature.ItemSize:] {
		head.add(leafHash(records), write)
		buckets[database.LogBucket(parseItem(records).id)] = true
	}
	head.partial(write)
	for bucket := range buckets {
		b.buckets = append(b.buckets, bucket)
	}
	slices.Sort(b.buckets)
	b.after.Size, b.after.Root = head.size, head.root()
	if !keys.CanSign() {
		return nil
	}
	var err error
	b.checkpoint, err = keys.Sign(b.after, b.at)
	return err
}

// commit writes a batch and remembers its tree.
func (l *Log) commit(ctx context.Context, b *batch, also ...func(tx *database.Tx) error) error {
	err := l.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		if err := b.write(tx); err != nil {
			return err
		}
		for _, write := range also {
			if err := write(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err // also if the outcome is unknown: the next look finds out
	}
	l.db.MarkDurable(durableKey(b.after))
	l.remember(ctx, b.after, b.checkpoint)
	l.batches.add(b.before.Size, b.records)
	return nil
}

// Status returns the status of the log.
func (l *Log) Status(ctx context.Context) (Status, error) {
	status, err := readStatus(l.reader(ctx))
	status.Stopped, status.Stops, status.Refused = l.stopped.Load(), l.stops.Load(), l.refused.Load()
	return status, fault.Wrap("translog.status", err)
}

// waitDurable returns nil once a tree that was read can't be lost by a failover any more.
// A checkpoint of a lost tree, remembered or published, would contradict the log of the
// standby that takes over.
func (l *Log) waitDurable(ctx context.Context, tree checkpoint.Tree) error {
	return l.db.WaitDurable(ctx, durableKey(tree))
}

func durableKey(tree checkpoint.Tree) string { return fmt.Sprintf("log:%d:%d", tree.Branch, tree.Size) }

// PublishedHead is Head for outsiders: fault.Unknown while a failover may lose it.
func (l *Log) PublishedHead(ctx context.Context) (string, error) {
	signed, err := l.Head(ctx)
	if err != nil {
		return "", err
	}
	head, err := checkpoint.ParseUnverified(signed)
	if err != nil {
		return "", fault.Wrap("translog.head", damaged("its newest checkpoint: %v", err))
	}
	//mutant:drop TestHeadIsUnknownWithoutTheStandby
	if err := l.waitDurable(ctx, head.Tree); err != nil {
		return "", err
	}
	return signed, nil
}

// Head returns the newest checkpoint as it was signed; fault.NotFound if there is none.
func (l *Log) Head(ctx context.Context) (string, error) {
	state, err := readState(l.reader(ctx))
	switch {
	case err != nil:
		return "", fault.Wrap("translog.head", err)
	case state.Checkpoint == "":
		return "", fault.New(fault.NotFound, "translog.head", "")
	}
	return state.Checkpoint, nil
}

// verifyHead returns an error if the tree does not extend what is known of it.
func (l *Log) verifyHead(ctx context.Context, tree checkpoint.Tree) error {
	known := l.known
	if known == nil {
		witnessed, err := l.witness.read(l.keys)
		if err != nil {
			return err
		}
		if witnessed == nil {
			if tree.Size > 0 && l.keys.CanSign() && l.witness.path != "" {
				slog.WarnContext(ctx, "log: the checkpoint's file is missing; a restore before this start can't be noticed", "file", l.witness.path)
			}
			return nil
		}
		known = &witnessed.Tree
	}
	return l.extends(ctx, tree, *known)
}

// extends returns nil if the tree extends an earlier one, or if a declared branch has
// abandoned that one.
func (l *Log) extends(ctx context.Context, tree, earlier checkpoint.Tree) error {
	err := isPrefix(l.reader(ctx), tree, earlier)
	if err == nil || !errors.Is(err, ErrRestored) && !errors.Is(err, ErrForked) {
		return err
	}
	branch, found := l.abandoned(l.reader(ctx), earlier)
	if found != nil {
		return found
	}
	//mutant:drop TestRestoreStopsTheSealer
	if branch == nil {
		return err
	}
	return nil
}
