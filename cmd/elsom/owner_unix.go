//go:build unix

package main

import (
	"os"
	"syscall"
)

// keepOwner gives a new file the owner and group of the file that it replaces.
func keepOwner(file *os.File, of os.FileInfo) error {
	stat, ok := of.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return file.Chown(int(stat.Uid), int(stat.Gid))
}
