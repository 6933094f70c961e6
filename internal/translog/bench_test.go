package translog_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/signature"
	"elsom/internal/testkit/require"
	"elsom/internal/translog"
)

// BenchmarkSeal seals records of transactions with 100 each. An operation is a record.
func BenchmarkSeal(b *testing.B) {
	for name, open := range map[string]func(testing.TB, ...database.Option) *database.DB{"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres} {
		b.Run(name, func(b *testing.B) {
			db := open(b)
			log := translog.New(db, translog.Options{Keys: newKeys(b, "wallet.example")})
			require.NoError(b, db.InTx(b.Context(), func(_ context.Context, tx *database.Tx) error {
				for queued := 0; queued < b.N; {
					var records []byte
					for range 99 {
						queued++
						records = signature.AppendItem(records, signature.Item{Kind: signature.Payment, ID: db.NewID(), Leaf: sha256.Sum256(binary.AppendVarint(nil, int64(queued)))})
					}
					queued++
					if err := insertQueued(tx, db.NewID(), records); err != nil {
						return err
					}
				}
				return nil
			}))
			b.ResetTimer()
			for n := 1; n > 0; {
				n = require.Value(log.Seal(b.Context()))(b)
			}
		})
	}
}
