package database

// Kept tells how many statements a connection keeps.
func Kept(c any) int { return c.(*keptConn).used.Len() }
