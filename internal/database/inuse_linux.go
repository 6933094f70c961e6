package database

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// inUse tells whether a program has the SQLite database of this path open: each
// of its connections holds a lock on the file -shm, also when the database was
// moved away meanwhile.
func inUse(path string) (bool, error) {
	shared, err := os.Open(path + "-shm") //nolint:gosec // the operator names it
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer shared.Close()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK} // of the whole file; it is asked for, not taken
	if err := syscall.FcntlFlock(shared.Fd(), syscall.F_GETLK, &lock); err != nil {
		return false, err
	}
	return lock.Type != syscall.F_UNLCK, nil
}
