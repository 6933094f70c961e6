package translog

import (
	"context"
	"encoding/binary"
	"log/slog"
	"slices"

	"elsom/internal/database"
	"elsom/internal/signature"
)

// A row of the queue is a batch: the records of a transaction, the last of which is a mac of
// the others (signature.Keys.EndBatch). The program's role can write the queue, so a row
// is sealed only if its mac is right and the log doesn't have it yet.

// maxSealsKnown is the number of seals whose batches a process keeps in memory.
const maxSealsKnown = 256

// sealedBatches has the ids of the batches of recent seals by the seals' first records, so
// that the sealer reads no records of what it has sealed itself.
type sealedBatches map[int64]map[int64]bool

func (s sealedBatches) add(first int64, records []byte) {
	if len(s) >= maxSealsKnown {
		clear(s)
	}
	ids := map[int64]bool{}
	for ; len(records) >= signature.ItemSize; records = records[signature.ItemSize:] {
		if records[0] == batchCode {
			ids[parseItem(records).id] = true
		}
	}
	s[first] = ids
}

// unsealedOf returns those rows of the queue that the log doesn't have. It returns
// errChanged if the log was extended since it was read.
func (l *Log) unsealedOf(ctx context.Context, rows []queuedRow) ([]queuedRow, error) {
	g := l.reader(ctx)
	buckets := map[int64]bool{}
	for _, row := range rows {
		buckets[database.LogBucket(row.ID)] = true
	}
	sealed := map[int64]bool{}
	for bucket := range buckets {
		firsts, err := sealsOf(g, bucket)
		if err != nil {
			return nil, err
		}
		for _, first := range firsts {
			if l.batches[first] == nil {
				s, err := readSeal(g, first)
				if err != nil {
					return nil, err
				}
				l.batches.add(first, s.Records)
			}
			for _, row := range rows {
				sealed[row.ID] = sealed[row.ID] || l.batches[first][row.ID]
			}
		}
	}
	again := slices.ContainsFunc(rows, func(row queuedRow) bool { return sealed[row.ID] })
	if !again {
		return rows, nil
	}
	// Another sealer may have taken these rows since they were read.
	state, err := readState(g)
	if err != nil {
		return nil, err
	}
	if state.Size != l.known.Size || state.Branch != l.known.Branch {
		return nil, errChanged
	}
	return slices.DeleteFunc(rows, func(row queuedRow) bool {
		//mutant:drop TestSealedBatchIsNotSealedAgain
		if sealed[row.ID] {
			l.refuse(ctx, row.ID, "it was sealed before")
		}
		return sealed[row.ID]
	}), nil
}

// refuse counts a row of the queue that is not sealed and stays there, and logs it once a
// minute.
func (l *Log) refuse(ctx context.Context, id int64, reason string) {
	if l.refusing++; l.refusing == 1 && l.db.Now().Sub(l.refusalLogged) >= repeatError {
		l.refusalLogged = l.db.Now()
		slog.ErrorContext(ctx, "log: a row of the queue is not sealed; see `elsom help log`", "id", id, "reason", reason)
	}
}

// wrongBatches returns the number of records of a seal that belong to no batch which was
// queued with one of the keys. The log's own records need none.
func wrongBatches(keys *signature.Keys, records []byte) (wrong int) {
	start := 0
	for at := 0; at < len(records); at += signature.ItemSize {
		end := at + signature.ItemSize
		switch {
		case records[at] == branchCode && start == at:
			start = end
		case records[at] == batchCode:
			if !keys.IsBatch(records[start:end], int64(binary.BigEndian.Uint64(records[at+1:]))) {
				wrong += (end - start) / signature.ItemSize
			}
			start = end
		}
	}
	return wrong + (len(records)-start)/signature.ItemSize
}
