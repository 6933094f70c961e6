package database

// Kept tells how many statements a connection keeps.
func Kept(c any) int { return c.(*keptConn).used.Len() }

// TakeName is how a file gets its name where there are no links.
var TakeName = takeName
