package translog

import (
	"bytes"
	"fmt"
	"sort"

	"golang.org/x/mod/sumdb/tlog"

	"elsom/internal/checkpoint"
	"elsom/internal/database"
	"elsom/internal/signature"
)

func (c *checker) violation(rule Rule, format string, args ...any) {
	c.found(rule, fmt.Sprintf(format, args...))
}

// pageRecords is the number of records from which on a page of seals is full.
const pageRecords = 32 << 10

// checkSeals builds the tree from the records of the seals and compares it with the tiles
// and the checkpoints. With a moment it begins at the first seal since then.
func (c *checker) checkSeals() error {
	g := inTx(c.tx)
	first := int64(0)
	if !c.since.IsZero() {
		var err error
		if first, err = firstSealSince(g, c.since); err != nil {
			return err
		}
	}
	tree, err := readEdge(g, first)
	if err != nil {
		c.violation(OneTree, "%v", err)
		return nil
	}
	tree.changed = len(tree.tiles)
	for {
		page, err := readSeals(g, tree.size, pageRecords)
		if err != nil || len(page) == 0 {
			return c.checkEnd(tree, err)
		}
		buckets, err := readBuckets(g, page[0].First, page[len(page)-1].First)
		if err != nil {
			return err
		}
		for _, s := range page {
			c.report.Seals++
			//mutant:drop TestCheckFindsManipulations
			if s.First != tree.size || s.Count < 1 || int64(len(s.Records)) != s.Count*signature.ItemSize {
				c.violation(OneTree, "the seal of the records from %d on is missing or has a wrong number of records", tree.size)
				return nil
			}
			if err := c.checkSeal(tree, s, buckets[s.First]); err != nil {
				return err
			}
		}
	}
}

// checkSeal appends the records of a seal to the tree.
func (c *checker) checkSeal(tree *edge, s sealRow, buckets []int64) error {
	var failed error
	full := func(at tileAt, hashes []byte) {
		if err := c.checkTile(at, hashes); err != nil {
			failed = err
		}
	}
	want := map[int64]bool{}
	for records := s.Records; len(records) > 0; records = records[signature.ItemSize:] {
		it := parseItem(records)
		want[database.LogBucket(it.id)] = true
		tree.add(leafHash(records), full)
		if it.kind == branchCode {
			c.checkBranch(it)
		}
	}
	if !c.report.NoBooksKey {
		//mutant:drop ./internal/audit TestRecordsSealedWithoutABatchAreFound
		if wrong := wrongBatches(c.tx.Keys(), s.Records); wrong > 0 {
			c.violation(AllQueued, "%d records of the seal of the records from %d on were queued without a known key", wrong, s.First)
		}
	}
	right := len(want) == len(buckets)
	for _, bucket := range buckets {
		right = right && want[bucket]
	}
	//mutant:drop TestCheckFindsManipulations
	if !right {
		c.violation(OneTree, "the buckets of the seal of the records from %d on are wrong", s.First)
	}
	if s.Checkpoint == "" {
		return failed
	}
	sealed, err := checkpoint.ParseUnverified(s.Checkpoint)
	//mutant:drop TestCheckFindsManipulations
	if err != nil || sealed.Size != tree.size || sealed.Root != tree.root() {
		c.violation(OneTree, "the checkpoint of %d records is not that of the tree", tree.size)
	}
	return failed
}

func (c *checker) checkBranch(it item) {
	row, ok := c.branches[it.id]
	delete(c.branches, it.id)
	//mutant:drop TestCheckWithBranch
	if !ok || it.content != tlog.RecordHash([]byte(row.Note)) {
		c.violation(OneTree, "a branch of the log is missing or not as it was sealed")
	}
}

func (c *checker) checkTile(at tileAt, want []byte) error {
	hashes, err := readTile(inTx(c.tx), at)
	//mutant:drop TestCheckFindsManipulations
	if err == nil && !bytes.Equal(hashes, want) {
		c.violation(OneTree, "tile %d of level %d is not that of its records", at.Number, at.Level)
	}
	return err
}

// checkEnd compares the tree of all records with the state and the last tiles.
func (c *checker) checkEnd(tree *edge, err error) error {
	if err != nil {
		return err
	}
	tree.partial(func(at tileAt, hashes []byte) {
		if failed := c.checkTile(at, hashes); failed != nil {
			err = failed
		}
	})
	if err != nil {
		return err
	}
	root := tree.root()
	//mutant:drop TestCheckFindsManipulations
	switch {
	case tree.size != c.state.Size:
		c.violation(OneTree, "the seals have %d records, the log %d", tree.size, c.state.Size)
	case c.report.Head != nil && c.report.Head.Root != root:
		c.violation(SignedHead, "the newest checkpoint is not that of the tree")
	}
	if !c.since.IsZero() {
		return nil
	}
	var missing []int64
	for _, b := range c.branches {
		missing = append(missing, b.Number)
	}
	sort.Slice(missing, func(i, j int) bool { return missing[i] < missing[j] })
	for _, number := range missing {
		c.violation(OneTree, "branch %d is not in the log", number)
	}
	tiles, err := countTiles(inTx(c.tx))
	if err != nil {
		return err
	}
	//mutant:drop TestCheckFindsManipulations
	if want := tilesOf(tree.size); tiles != want {
		c.violation(OneTree, "there are %d tiles, the tree has %d", tiles, want)
	}
	return nil
}

// tilesOf returns the number of tiles of a tree.
func tilesOf(size int64) (n int64) {
	for _, count := range levels(size) {
		n += (count + tileWidth - 1) / tileWidth
	}
	return n
}
