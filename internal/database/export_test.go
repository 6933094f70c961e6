package database

// CachedStatements returns the number of statements in a connection's cache.
func CachedStatements(c any) int { return c.(*cachedConn).recent.Len() }

// TakeName is takeName.
var TakeName = takeName
