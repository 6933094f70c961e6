package ledger

// Waiting tells how many postings wait for a flight.
func (l *Ledger) Waiting() int { return len(l.queue) }
