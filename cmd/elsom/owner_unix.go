//go:build unix

package main

import (
	"os"
	"syscall"
)

// keepOwner sets the owner and group of a new file to those of the file that it replaces.
func keepOwner(file *os.File, of os.FileInfo) error {
	stat, ok := of.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return file.Chown(int(stat.Uid), int(stat.Gid))
}
