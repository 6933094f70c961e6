//go:build !linux

package database

import "os"

// inUse tells whether a program may have the SQLite database of this path open:
// the file -shm is there from its first connection to the end of its last.
func inUse(path string) (bool, error) {
	_, err := os.Stat(path + "-shm")
	return err == nil, nil
}
