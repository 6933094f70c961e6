package translog

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"gorm.io/gorm"

	"elsom/internal/database"
	"elsom/internal/signature"
)

// reader runs queries: in a transaction, or each by itself.
type reader = *gorm.DB

func (l *Log) reader(ctx context.Context) reader { return l.db.Gorm(ctx) }

func inTx(tx *database.Tx) reader { return tx.Gorm() }

// stateRow is the row of log_state.
type stateRow struct {
	Size       int64
	Branch     int64
	Checkpoint string
}

func readState(g *gorm.DB) (row stateRow, err error) {
	found := g.Raw("SELECT size, branch, checkpoint FROM log_state WHERE id = 1").Scan(&row)
	if found.Error == nil && found.RowsAffected == 0 {
		return row, damaged("its state is missing")
	}
	return row, found.Error
}

// readTile returns the stored hashes of a tile; nil if there is none.
func readTile(g *gorm.DB, at tileAt) (hashes []byte, err error) {
	err = g.Raw("SELECT hashes FROM log_tiles WHERE level = ? AND number = ?", at.Level, at.Number).Row().Scan(&hashes)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return hashes, err
}

// tileReader reads hashes of the tree from tiles, each tile once.
type tileReader struct {
	gorm  *gorm.DB
	tiles map[tileAt][]byte
}

func newTileReader(g *gorm.DB) *tileReader { return &tileReader{g, map[tileAt][]byte{}} }

// ReadHashes implements tlog.HashReader. It doesn't verify them.
func (r *tileReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		tile := tlog.TileForIndex(tileHeight, index)
		at := tileAt{int64(tile.L), tile.N}
		hashes, ok := r.tiles[at]
		if !ok {
			var err error
			if hashes, err = readTile(r.gorm, at); err != nil {
				return nil, err
			}
			r.tiles[at] = hashes
		}
		if len(hashes) < tile.W*tlog.HashSize || len(hashes) > tileBytes {
			return nil, damaged("tile %d of level %d is missing or too short", at.Number, at.Level)
		}
		var err error
		if list[i], err = tlog.HashFromTile(tile, hashes, index); err != nil {
			return nil, damaged("%v", err)
		}
	}
	return list, nil
}

// treeHash returns the root of the first leaves by the tiles.
func treeHash(g *gorm.DB, size int64) (tlog.Hash, error) {
	return tlog.TreeHash(size, newTileReader(g))
}

// readEdge returns the edge of a tree of that size. The tree in the database may be
// larger: tiles only grow.
func readEdge(g *gorm.DB, size int64) (*edge, error) {
	e := &edge{size: size}
	for level, count := range levels(size) {
		e.tiles = append(e.tiles, nil)
		want := int(count&(tileWidth-1)) * tlog.HashSize
		if want == 0 {
			continue
		}
		hashes, err := readTile(g, tileAt{int64(level), count >> tileHeight})
		if err != nil {
			return nil, err
		}
		if len(hashes) < want {
			return nil, damaged("tile %d of level %d is missing or too short", count>>tileHeight, level)
		}
		e.tiles[level] = hashes[:want:want]
	}
	return e, nil
}

// queuedRow is a row of log_queue.
type queuedRow struct {
	ID      int64
	Records []byte
}

// eachQueued calls do with the rows of the queue in the order of their ids until it
// returns false.
func eachQueued(g *gorm.DB, do func(queuedRow) bool) error {
	rows, err := g.Raw("SELECT id, records FROM log_queue ORDER BY id").Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var row queuedRow
		if err := rows.Scan(&row.ID, &row.Records); err != nil {
			return err
		}
		if !do(row) {
			break
		}
	}
	return g.AddError(rows.Err())
}

// hasQueued reports whether the queue has a row.
func hasQueued(g *gorm.DB) (found bool, err error) {
	err = g.Raw("SELECT EXISTS (SELECT 1 FROM log_queue)").Row().Scan(&found)
	return found, err
}

// errChanged reports that the log was extended since it was read.
var errChanged = errors.New("translog: another sealer has extended the log")

// write writes a batch. It returns errChanged if the log or the queue is no longer as it
// was read.
func (b *batch) write(tx *database.Tx) error {
	g := tx.Gorm()
	changed := g.Exec("UPDATE log_state SET size = ?, branch = ?, checkpoint = ? WHERE id = 1 AND size = ? AND branch = ?",
		b.after.Size, b.after.Branch, b.checkpoint, b.before.Size, b.before.Branch)
	//mutant:replace changed.RowsAffected != 1 => changed.RowsAffected > 1 TestTwoSealers
	if changed.Error != nil || changed.RowsAffected != 1 {
		return errors.Join(changed.Error, errChanged)
	}
	if len(b.queued) > 0 {
		in, ids := database.InList(tx.Dialect(), b.queued)
		deleted := g.Exec("DELETE FROM log_queue WHERE id "+in, ids)
		//mutant:drop TestSealTakesOnlyWhatIsQueued
		if deleted.Error != nil || deleted.RowsAffected != int64(len(b.queued)) {
			return errors.Join(deleted.Error, errChanged)
		}
	}
	err := g.Exec("INSERT INTO log_seals (first, count, records, checkpoint, sealed_at) VALUES (?, ?, ?, ?, ?)",
		b.before.Size, b.after.Size-b.before.Size, b.records, b.checkpoint, b.at).Error
	if err != nil {
		return err
	}
	return errors.Join(b.writeTiles(tx), b.writeBuckets(tx))
}

// insertRows is the largest number of rows of one INSERT: SQLite limits the number of
// values of a statement.
const insertRows = 1000

func (b *batch) writeTiles(tx *database.Tx) error {
	const some = insertRows / 10 // of 8 KiB
	for start := 0; start < len(b.tiles); start += some {
		end := min(start+some, len(b.tiles))
		var of, numbers []int64
		for _, t := range b.tiles[start:end] {
			of, numbers = append(of, t.Level), append(numbers, t.Number)
		}
		err := tx.Insert(database.Rows{Table: "log_tiles", Columns: []database.Column{
			database.NewColumn("level", "bigint", of), database.NewColumn("number", "bigint", numbers), database.NewColumn("hashes", "bytea", b.hashes[start:end]),
		}, OnConflict: "ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes"})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) writeBuckets(tx *database.Tx) error {
	for start := 0; start < len(b.buckets); start += insertRows {
		end := min(start+insertRows, len(b.buckets))
		err := tx.Insert(database.Rows{Table: "log_buckets", Columns: []database.Column{
			database.NewColumn("bucket", "bigint", b.buckets[start:end]), database.ConstColumn("first", "bigint", b.before.Size),
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// readStatus returns the status of the log, without that of the sealer.
func readStatus(g *gorm.DB) (Status, error) {
	state, err := readState(g)
	if err != nil {
		return Status{}, err
	}
	status := Status{Size: state.Size}
	var first sql.NullInt64
	var bytes int64
	if err := g.Raw("SELECT MIN(id), COALESCE(SUM(LENGTH(records)), 0) FROM log_queue").Row().Scan(&first, &bytes); err != nil {
		return Status{}, err
	}
	if status.Unsealed = bytes / signature.ItemSize; first.Valid {
		status.Oldest = database.TimeOfID(first.Int64)
	}
	var sealed time.Time
	err = g.Raw("SELECT sealed_at FROM log_seals ORDER BY first DESC LIMIT 1").Row().Scan(&sealed)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Status{}, err
	}
	status.Sealed = sealed
	return status, nil
}

// branchRow is a row of log_branches.
type branchRow struct {
	Number int64
	ID     int64
	Note   string
}

// readBranches returns the branches after one.
func readBranches(g *gorm.DB, after int64) (rows []branchRow, err error) {
	err = g.Raw("SELECT number, id, note FROM log_branches WHERE number > ? ORDER BY number", after).Scan(&rows).Error
	return rows, err
}

func insertBranch(tx *database.Tx, b *Branch) error {
	return tx.Gorm().Exec("INSERT INTO log_branches (number, id, note, started_at) VALUES (?, ?, ?, ?)", b.Number, b.ID, b.note, b.At).Error
}
