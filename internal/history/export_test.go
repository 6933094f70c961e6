package history

// Often makes a history sum up after a few entries, in small transactions.
func (h *History) Often() *History {
	h.readAsIs, h.chunk = 3, 5
	return h
}
