package web

// NewRequestID is exported for tests.
func NewRequestID() string { return newRequestID() }
