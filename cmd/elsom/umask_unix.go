//go:build unix

package main

import "syscall"

// Files that the program writes, above all the database, are readable by its own
// user only.
func init() { syscall.Umask(0o077) }
