package translog

import (
	"database/sql"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"
)

// sealRow is a row of log_seals.
type sealRow struct {
	First      int64
	Count      int64
	Records    []byte
	Checkpoint string
}

// sealsAtOnce is the largest number of seals of a page.
const sealsAtOnce = 500

// readSeals returns the next seals from a first record on, until they have that many
// records.
func readSeals(g *gorm.DB, from int64, records int64) (page []sealRow, err error) {
	var sizes []struct{ First, Records int64 }
	err = g.Raw("SELECT first, count AS records FROM log_seals WHERE first >= ? ORDER BY first LIMIT ?", from, sealsAtOnce).Scan(&sizes).Error
	if err != nil || len(sizes) == 0 {
		return nil, err
	}
	last, sum := sizes[0].First, int64(0)
	for _, s := range sizes {
		last = s.First
		if sum += s.Records; sum >= records {
			break
		}
	}
	err = g.Raw("SELECT first, count, records, checkpoint FROM log_seals WHERE first BETWEEN ? AND ? ORDER BY first", from, last).Scan(&page).Error
	return page, err
}

func readSeal(g *gorm.DB, first int64) (row sealRow, err error) {
	err = g.Raw("SELECT first, count, records, checkpoint FROM log_seals WHERE first = ?", first).Scan(&row).Error
	return row, err
}

// readBuckets returns the buckets of seals, by their first records.
func readBuckets(g *gorm.DB, from, to int64) (map[int64][]int64, error) {
	var rows []struct{ First, Bucket int64 }
	if err := g.Raw("SELECT first, bucket FROM log_buckets WHERE first BETWEEN ? AND ?", from, to).Scan(&rows).Error; err != nil {
		return nil, err
	}
	buckets := map[int64][]int64{}
	for _, row := range rows {
		buckets[row.First] = append(buckets[row.First], row.Bucket)
	}
	return buckets, nil
}

// firstSealSince returns the first record of the first seal since a moment, by a binary
// search: seals are ordered by time.
func firstSealSince(g *gorm.DB, since time.Time) (int64, error) {
	state, err := readState(g)
	if err != nil {
		return 0, err
	}
	low, high := int64(0), state.Size // the seal begins at low or later
	for low < high {
		var first int64
		var at time.Time
		err := g.Raw("SELECT first, sealed_at FROM log_seals WHERE first BETWEEN ? AND ? ORDER BY first DESC LIMIT 1", low, (low+high)/2).Row().Scan(&first, &at)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			low = (low+high)/2 + 1
		case err != nil:
			return 0, err
		case at.Before(since):
			low = (low+high)/2 + 1
		default:
			high = first
		}
	}
	return low, nil
}

func countTiles(g *gorm.DB) (n int64, err error) {
	err = g.Raw("SELECT COUNT(*) FROM log_tiles").Scan(&n).Error
	return n, err
}

// windowEntries is the number of entries that a window has at first.
const windowEntries = 2000

// readWindow returns the seals, by their first records in order, that have records of
// the buckets from low up to next. A window has at least one bucket, and ends where it has
// that many records; next is 0 if there are no further buckets.
func readWindow(g *gorm.DB, low int64, records int64) (firsts []int64, next int64, err error) {
	for limit := windowEntries; ; limit *= 4 {
		var entries []struct{ Bucket, First, Count int64 }
		err := g.Raw(`SELECT b.bucket, b.first, s.count FROM log_buckets b JOIN log_seals s ON s.first = b.first
			WHERE b.bucket >= ? ORDER BY b.bucket, b.first LIMIT ?`, low, limit).Scan(&entries).Error
		if err != nil {
			return nil, 0, err
		}
		end, sum := len(entries), int64(0) // of the window
		for i, e := range entries {
			if i > 0 && e.Bucket != entries[i-1].Bucket && (sum >= records || i > windowEntries/2) {
				end = i
				break
			}
			sum += e.Count
		}
		if end == len(entries) && len(entries) == limit {
			continue // the last bucket may have more
		}
		if end < len(entries) {
			next = entries[end].Bucket
		}
		seen := map[int64]bool{}
		for _, e := range entries[:end] {
			if !seen[e.First] {
				seen[e.First] = true
				firsts = append(firsts, e.First)
			}
		}
		slices.Sort(firsts)
		return firsts, next, nil
	}
}
