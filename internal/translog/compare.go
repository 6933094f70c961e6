package translog

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"elsom/internal/checkpoint"
	"elsom/internal/database"
	"elsom/internal/fault"
)

// isPrefix returns nil if an earlier state of the log is a prefix of the tree, otherwise
// ErrRestored, ErrForked or ErrDamaged.
func isPrefix(g reader, tree, earlier checkpoint.Tree) error {
	//mutant:drop ./internal/audit TestOnlyACheckpointFindsAnOlderDump/sqlite
	if earlier.Size > tree.Size {
		return fmt.Errorf("%w (%d records, the checkpoint has %d)", ErrRestored, tree.Size, earlier.Size)
	}
	root := tree.Root
	if earlier.Size < tree.Size {
		var err error
		if root, err = proveRoot(g, tree, earlier); err != nil {
			return err
		}
	}
	//mutant:replace root != earlier.Root => len(root) == 0 ./internal/audit TestOnlyACheckpointFindsARebuiltLog/sqlite
	if root != earlier.Root || earlier.Branch > tree.Branch {
		return fmt.Errorf("%w (of %d records)", ErrForked, earlier.Size)
	}
	return nil
}

// proveRoot returns the root of the first leaves of the tree, proved to be a prefix of
// it by a consistency proof.
func proveRoot(g reader, tree, earlier checkpoint.Tree) (tlog.Hash, error) {
	if earlier.Size == 0 {
		return tlog.TreeHash(0, nil)
	}
	root, err := treeHash(g, earlier.Size)
	if err != nil {
		return root, err
	}
	proof, err := tlog.ProveTree(tree.Size, earlier.Size, newTileReader(g))
	if err != nil {
		return root, err
	}
	if err := tlog.CheckTree(proof, tree.Size, tree.Root, earlier.Size, root); err != nil {
		return root, damaged("its tiles don't belong to one tree")
	}
	return root, nil
}

// Comparison is the result of a comparison with an earlier checkpoint.
type Comparison struct {
	Earlier checkpoint.Checkpoint
	Today   checkpoint.Checkpoint
	// Abandoned is the branch that replaced what the checkpoint has and today's log
	// lacks; nil if the checkpoint is a prefix of today's log.
	Abandoned *Branch
}

// Compare proves that an earlier checkpoint is a prefix of today's log, or that a
// declared branch has abandoned it. It returns ErrRestored, ErrForked or ErrDamaged if
// neither is so, and ErrUnknownKey, ErrBadSignature or ErrNotANote for something that is
// not a checkpoint of this log.
func (l *Log) Compare(ctx context.Context, earlier string) (result Comparison, err error) {
	if result.Earlier, err = l.keys.Open(earlier); err != nil {
		return result, err
	}
	err = l.db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
		state, err := readState(inTx(tx))
		if err != nil {
			return err
		}
		if result.Today, err = l.openHead(inTx(tx), state); err != nil {
			return err
		}
		err = isPrefix(inTx(tx), result.Today.Tree, result.Earlier.Tree)
		if err == nil || !errors.Is(err, ErrRestored) && !errors.Is(err, ErrForked) {
			return err
		}
		abandoned, found := l.abandoned(inTx(tx), result.Earlier.Tree)
		//mutant:drop TestCompareWithAbandonedBranch
		if found != nil || abandoned == nil {
			return errors.Join(found, err)
		}
		result.Abandoned = abandoned
		return nil
	})
	return result, fault.Wrap("translog.compare", err)
}

// IsContradiction reports whether an error of Compare says that the checkpoint is not one
// of this log, rather than that it could not be compared.
func IsContradiction(err error) bool {
	for _, reason := range []error{ErrRestored, ErrForked, ErrDamaged, checkpoint.ErrUnknownKey, checkpoint.ErrBadSignature, checkpoint.ErrNotANote, checkpoint.ErrMalformed} {
		if errors.Is(err, reason) {
			return true
		}
	}
	return false
}

// openHead returns the verified newest checkpoint, or without one the state of the tree.
func (l *Log) openHead(g reader, state stateRow) (checkpoint.Checkpoint, error) {
	head, err := readEdge(g, state.Size)
	if err != nil {
		return checkpoint.Checkpoint{}, err
	}
	tree := checkpoint.Tree{Branch: state.Branch, Size: state.Size, Root: head.root()}
	if state.Checkpoint == "" {
		return checkpoint.Checkpoint{Tree: tree}, nil
	}
	newest, err := l.keys.Open(state.Checkpoint)
	switch {
	case err != nil:
		return newest, damaged("its newest checkpoint: %w", err)
	case newest.Tree != tree:
		return newest, damaged("its tree is not that of its newest checkpoint")
	}
	return newest, nil
}
