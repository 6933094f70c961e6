//go:build !linux

package database

import "os"

// inUse reports whether a process may have the SQLite database at path open: the
// file -shm exists from the first connection until the last one is closed.
func inUse(path string) (bool, error) {
	_, err := os.Stat(path + "-shm")
	return err == nil, nil
}
