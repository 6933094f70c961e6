package database

import (
	"context"
	"database/sql/driver"
)

// A statement of SQLite that changes many rows and can fail keeps the pages as they were,
// to take it back alone. With more than 64 KB of them it makes a file, in each batch of
// the ledger. The transactions of InTx are short, so they keep them in memory; others sort
// whole tables, and migrations change them, for which files are right.

// memoryKey is the context's key of inMemory.
type memoryKey struct{}

// inMemory returns a context whose transaction has its temporary storage in memory on SQLite.
func inMemory(ctx context.Context) context.Context {
	return context.WithValue(ctx, memoryKey{}, true)
}

// BeginTx implements driver.ConnBeginTx.
func (c *cachedConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	//mutant:replace ctx.Value(memoryKey{}) != nil => true TestTemporaryStorage
	memory := ctx.Value(memoryKey{}) != nil
	if memory != c.memory {
		store := "file"
		if memory {
			store = "memory"
		}
		if err := c.Raw().Exec("PRAGMA temp_store = " + store); err != nil {
			return nil, err
		}
		c.memory = memory
	}
	return c.driverConn.BeginTx(ctx, options)
}
