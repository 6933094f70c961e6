//go:build unix

package main

import "syscall"

// Files that the program creates are readable by its user only.
func init() { syscall.Umask(0o077) }
