package database

// ForUpdate returns the clause that locks the rows a SELECT returns until the
// transaction ends. Like the other clauses of this file it ends a statement,
// begins with a space, and is empty on SQLite, which has a single writer.
func (tx *Tx) ForUpdate() string { return tx.locking(" FOR UPDATE") }

// ForUpdateSkipLocked is ForUpdate that leaves out rows that another
// transaction has locked.
func (tx *Tx) ForUpdateSkipLocked() string { return tx.locking(" FOR UPDATE SKIP LOCKED") }

// ForShare returns the clause that keeps the rows a SELECT returns from being
// changed or deleted until the transaction ends, while others may read and
// share them.
func (tx *Tx) ForShare() string { return tx.locking(" FOR SHARE") }

func (tx *Tx) locking(clause string) string {
	if tx.Dialect() == SQLite {
		return ""
	}
	return clause
}
