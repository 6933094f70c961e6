package translog

import (
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"

	"elsom/internal/signature"
)

// Tiles have the height 8, as those of Go's checksum database: 256 hashes, 8 KiB.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	tileBytes  = tileWidth * tlog.HashSize
)

// branchCode is the code of the log's own records in place of a kind of row.
const branchCode = 0xff

// batchCode is the code of the record that ends a batch.
var batchCode = signature.Batch.Code()

// item is a record of the log: a signed row by its kind and id, and the hash of its
// content. The leaf of the tree covers all three.
type item struct {
	kind    byte
	id      int64
	content tlog.Hash
}

func parseItem(data []byte) item {
	it := item{kind: data[0], id: int64(binary.BigEndian.Uint64(data[1:9]))}
	copy(it.content[:], data[9:signature.ItemSize])
	return it
}

func (it item) append(list []byte) []byte {
	list = binary.BigEndian.AppendUint64(append(list, it.kind), uint64(it.id))
	return append(list, it.content[:]...)
}

// leafHash returns the hash of the leaf of an item in its stored form.
func leafHash(data []byte) tlog.Hash {
	var buffer [1 + signature.ItemSize]byte // a zero byte before a leaf: RFC 6962
	copy(buffer[1:], data[:signature.ItemSize])
	return sha256.Sum256(buffer[:])
}

// tileAt is the position of a tile.
type tileAt struct{ Level, Number int64 }

// edge is the right edge of a tree: the last tile of each level that is not full.
// The hashes of a level are the roots of the full tiles of the level below.
type edge struct {
	size    int64
	tiles   [][]byte // hashes by level
	changed int      // the levels below this one have changed
}

// levels returns the number of tile levels of a tree and the number of hashes of each.
func levels(size int64) (counts []int64) {
	for ; size > 0; size >>= tileHeight {
		counts = append(counts, size)
	}
	return counts
}

// add appends a leaf and calls full with each tile that it fills.
func (e *edge) add(leaf tlog.Hash, full func(at tileAt, hashes []byte)) {
	index := e.size
	e.size++
	for level := 0; ; level++ {
		if level == len(e.tiles) {
			e.tiles = append(e.tiles, nil)
		}
		e.tiles[level] = append(e.tiles[level], leaf[:]...)
		e.changed = max(e.changed, level+1)
		if len(e.tiles[level]) < tileBytes {
			return
		}
		hashes := e.tiles[level]
		e.tiles[level] = nil
		index >>= tileHeight
		full(tileAt{int64(level), index}, hashes)
		leaf = rootOf(hashes)
	}
}

// partial calls write with each tile of the edge that has changed and is not full.
func (e *edge) partial(write func(at tileAt, hashes []byte)) {
	for level, count := range levels(e.size) {
		if level < e.changed && len(e.tiles[level]) > 0 {
			write(tileAt{int64(level), count >> tileHeight}, e.tiles[level])
		}
	}
}

// root returns the hash of the tree.
func (e *edge) root() tlog.Hash {
	if e.size == 0 {
		return sha256.Sum256(nil)
	}
	var sum tlog.Hash
	first := true
	for _, hashes := range e.tiles {
		// From the right: the subtrees of a tile are its full powers of two.
		for width := tlog.HashSize; width <= tileBytes; width *= 2 {
			if len(hashes)&width == 0 {
				continue
			}
			start := len(hashes) &^ (2*width - 1)
			subtree := rootOf(hashes[start : start+width])
			if first {
				sum, first = subtree, false
			} else {
				sum = tlog.NodeHash(subtree, sum)
			}
		}
	}
	return sum
}

// rootOf returns the root of a power of two of hashes.
func rootOf(hashes []byte) tlog.Hash {
	if len(hashes) == tlog.HashSize {
		return tlog.Hash(hashes)
	}
	half := len(hashes) / 2
	return tlog.NodeHash(rootOf(hashes[:half]), rootOf(hashes[half:]))
}
