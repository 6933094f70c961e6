//go:build unix

package main

import "syscall"

// What the program writes is the operator's alone: the database above all.
func init() { syscall.Umask(0o077) }
