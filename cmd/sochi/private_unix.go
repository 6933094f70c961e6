//go:build unix

package main

import "syscall"

// What the program writes is its owner's alone.
func init() { syscall.Umask(0o077) }
