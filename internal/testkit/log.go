package testkit

import (
	"context"
	"encoding/binary"
	"fmt"

	"elsom/internal/database"
	"elsom/internal/origin"
	"elsom/internal/signature"
)

// LogSize has the counts of CheckLog.
type LogSize struct {
	Sealed, Queued int // records
	Rows           int // signed rows
}

// CheckLog returns an error unless the seals have no gap and no record is sealed twice,
// or sealed and queued, and unless exactly the signed rows have records. It compares
// numbers; the audit compares contents.
func CheckLog(ctx context.Context, db *database.DB) (size LogSize, err error) {
	err = db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
		var state int
		if err := tx.Gorm().Raw("SELECT size FROM log_state").Row().Scan(&state); err != nil {
			return err
		}
		records := logRecords{once: map[string]bool{}, rows: map[string]bool{}}
		var seals []struct {
			First, Count int
			Records      []byte
		}
		if err := tx.Gorm().Raw("SELECT first, count, records FROM log_seals ORDER BY first").Scan(&seals).Error; err != nil {
			return err
		}
		for _, s := range seals {
			n, err := records.add(s.Records)
			if err != nil {
				return err
			}
			if s.First != size.Sealed || s.Count != n {
				return fmt.Errorf("after %d records, a seal begins at %d with %d of %d records", size.Sealed, s.First, n, s.Count)
			}
			size.Sealed += n
		}
		if size.Sealed != state {
			return fmt.Errorf("the seals have %d records, the log %d", size.Sealed, state)
		}
		var queued [][]byte
		if err := tx.Gorm().Raw("SELECT records FROM log_queue").Scan(&queued).Error; err != nil {
			return err
		}
		for _, list := range queued {
			n, err := records.add(list)
			if err != nil {
				return err
			}
			size.Queued += n
		}
		for _, table := range origin.Tables {
			var n int
			if err := tx.Gorm().Raw("SELECT COUNT(mac) FROM " + table.Name).Row().Scan(&n); err != nil {
				return err
			}
			size.Rows += n
		}
		if len(records.rows) != size.Rows {
			return fmt.Errorf("%d rows are signed, %d have records", size.Rows, len(records.rows))
		}
		return nil
	})
	return size, err
}

// logRecords has the records seen so far, and the rows that they are of.
type logRecords struct{ once, rows map[string]bool }

// add adds a list of records and returns their number.
func (r logRecords) add(list []byte) (n int, err error) {
	if len(list) == 0 || len(list)%signature.ItemSize != 0 {
		return 0, fmt.Errorf("a list of records has %d bytes", len(list))
	}
	for ; len(list) > 0; list = list[signature.ItemSize:] {
		record, row := string(list[:signature.ItemSize]), string(list[:9])
		if r.once[record] {
			return n, fmt.Errorf("the record of row %d of kind %d is there twice", binary.BigEndian.Uint64(list[1:]), list[0])
		}
		r.once[record] = true
		if kind, known := signature.KindOf(list[0]); known && kind != signature.Batch { // the log's own records have no rows
			r.rows[row] = true
		}
		n++
	}
	return n, nil
}
