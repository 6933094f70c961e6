package translog

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"elsom/internal/database"
	"elsom/internal/origin"
	"elsom/internal/signature"
)

const (
	// maxQueuedChecked is the largest number of queued records that are compared with rows.
	maxQueuedChecked = 500_000
	// rowPage is the number of rows that are read at once.
	rowPage = 1000
	// windowRecords is the number of sealed records from which on a window of ids is full.
	windowRecords = 64 << 10
	// early is how much older than its record a row's id may be, in a check since a moment.
	early = 24 * time.Hour
)

// rowKey names a signed row.
type rowKey struct {
	kind byte
	id   int64
}

// newest are the contents of a row in the newest seal that has it; those of all seals, if
// the row is never signed again. A row that changed twice before a seal has several there,
// whose order is not certain: two processes may have clocks that differ.
type newest struct {
	first    int64
	contents []tlog.Hash
}

func (n newest) has(content tlog.Hash) bool {
	for _, one := range n.contents {
		if one == content {
			return true
		}
	}
	return false
}

// checkRows compares the rows with the records: by windows of ids, whose records are
// held in memory while their rows are read once.
func (c *checker) checkRows() error {
	queued, err := c.readQueue()
	if err != nil {
		return err
	}
	low := int64(0) // the first bucket of the window
	if !c.since.IsZero() {
		low = database.LogBucket(database.FirstID(c.since.Add(-early)))
	}
	start := low
	for {
		entries, next, err := readWindow(inTx(c.tx), low, windowRecords)
		if err != nil {
			return err
		}
		if err := c.checkWindow(low, next, entries, queued); err != nil {
			return err
		}
		if next == 0 {
			break
		}
		low = next
	}
	for key := range queued {
		if table, ok := tableOf(key.kind); ok && database.LogBucket(key.id) >= start {
			c.violation(NothingMissing, "%s %d was queued for the log and is missing, or is no longer signed", words(table.Kind), key.id)
		}
	}
	return nil
}

// readQueue returns the queued records.
func (c *checker) readQueue() (map[rowKey]newest, error) {
	queued := map[rowKey]newest{}
	err := eachQueued(inTx(c.tx), func(row queuedRow) bool {
		if c.report.Oldest.IsZero() {
			c.report.Oldest = database.TimeOfID(row.ID)
		}
		//mutant:drop TestCheckFindsManipulations
		if len(row.Records) == 0 || len(row.Records)%signature.ItemSize != 0 {
			c.violation(AllSealed, "row %d of the queue is malformed", row.ID)
			return true
		}
		c.report.Unsealed += int64(len(row.Records) / signature.ItemSize)
		//mutant:drop ./internal/audit TestForgedBatchIsFound
		if !c.report.NoBooksKey && !c.tx.Keys().IsBatch(row.Records, row.ID) {
			c.violation(AllQueued, "row %d of the queue was queued without a known key", row.ID)
			return true
		}
		if c.report.TooMany = c.report.Unsealed > maxQueuedChecked; c.report.TooMany {
			clear(queued)
			return true
		}
		add(queued, row.Records, 0, func(int64) bool { return true })
		return true
	})
	return queued, err
}

// add adds the records whose ids are wanted to those of the newest seals.
func add(to map[rowKey]newest, records []byte, first int64, wanted func(id int64) bool) {
	for ; len(records) > 0; records = records[signature.ItemSize:] {
		it := parseItem(records)
		if it.kind == branchCode || !wanted(it.id) {
			continue
		}
		key := rowKey{it.kind, it.id}
		known := to[key]
		if table, ok := tableOf(it.kind); known.first != first && it.kind != batchCode && (!ok || table.Mutable) {
			known = newest{}
		}
		known.first = first
		known.contents = append(known.contents, it.content)
		to[key] = known
	}
}

// checkWindow compares the rows whose ids are in buckets from low up to next (0: all
// further ones) with their records.
func (c *checker) checkWindow(low, next int64, firsts []int64, queued map[rowKey]newest) error {
	sealed := map[rowKey]newest{}
	for _, first := range firsts {
		s, err := readSeal(inTx(c.tx), first)
		if err != nil {
			return err
		}
		add(sealed, s.Records[:len(s.Records)/signature.ItemSize*signature.ItemSize], first, func(id int64) bool {
			bucket := database.LogBucket(id)
			return bucket >= low && (next == 0 || bucket < next)
		})
	}
	c.checkBatches(sealed, queued)
	for _, table := range origin.Tables {
		if err := c.checkTable(table, low<<database.LogBucketBits-1, next<<database.LogBucketBits, sealed, queued); err != nil {
			return err
		}
	}
	for key := range sealed {
		//mutant:drop TestCheckFindsManipulations
		if table, ok := tableOf(key.kind); ok {
			c.violation(NothingMissing, "%s %d was sealed in the log and is missing, or is no longer signed", words(table.Kind), key.id)
		}
	}
	return nil
}

// checkBatches verifies that no batch was sealed twice, or is queued again.
func (c *checker) checkBatches(sealed, queued map[rowKey]newest) {
	for key, batch := range sealed {
		if key.kind != batchCode {
			continue
		}
		delete(sealed, key)
		_, again := queued[key]
		//mutant:drop ./internal/audit TestBatchQueuedAgainIsFound
		switch {
		case len(batch.contents) > 1:
			c.violation(AllQueued, "the batch %d of records was sealed %d times", key.id, len(batch.contents))
		case again:
			c.violation(AllQueued, "the batch %d of records was sealed and is queued again", key.id)
		}
	}
}

func (c *checker) checkTable(table origin.Table, after, before int64, sealed, queued map[rowKey]newest) error {
	for {
		rows, err := table.Read(c.tx, after, before, rowPage)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if len(row.MAC) > 0 {
				c.checkRow(table, row, sealed, queued)
			}
		}
		after = rows[len(rows)-1].Record.ID()
	}
}

func (c *checker) checkRow(table origin.Table, row origin.Row, sealed, queued map[rowKey]newest) {
	key := rowKey{table.Kind.Code(), row.Record.ID()}
	content := tlog.Hash(row.Record.LeafHash(row.MAC))
	waiting, isQueued := queued[key]
	last, isSealed := sealed[key]
	delete(queued, key)
	delete(sealed, key)
	//mutant:drop TestCheckFindsManipulations
	switch {
	case isQueued && waiting.has(content), !isQueued && isSealed && last.has(content):
		other := func(recorded tlog.Hash) bool { return recorded != content }
		//mutant:drop ./internal/audit TestRowSignedAgainIsFound
		if !table.Mutable && slices.ContainsFunc(slices.Concat(last.contents, waiting.contents), other) {
			c.violation(NothingMissing, "%s %d is not as the log first had it", words(table.Kind), key.id)
		}
	case isQueued:
		c.violation(NothingMissing, "%s %d is not as it was queued for the log", words(table.Kind), key.id)
	case isSealed && c.report.TooMany && table.Mutable: // a later state may be queued
	case isSealed:
		c.violation(NothingMissing, "%s %d is not as it was sealed in the log", words(table.Kind), key.id)
	case !c.report.TooMany:
		c.violation(AllSealed, "%s %d is signed but neither sealed in the log nor queued", words(table.Kind), key.id)
	}
}

func tableOf(code byte) (origin.Table, bool) {
	kind, known := signature.KindOf(code)
	if !known {
		return origin.Table{}, false
	}
	return origin.Of(kind)
}

func words(kind signature.Kind) string { return strings.ReplaceAll(string(kind), "_", " ") }
