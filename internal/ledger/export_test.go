package ledger

// Waiting tells how many postings wait for a flight.
func (l *Ledger) Waiting() int { return len(l.queue) }

// Closed tells whether the ledger takes no more postings.
func (l *Ledger) Closed() bool {
	l.closing.RLock()
	defer l.closing.RUnlock()
	return l.closed
}
