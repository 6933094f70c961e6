package database

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// inUse reports whether a process has the SQLite database at path open. Each
// connection locks the file -shm, also after the database was moved away.
func inUse(path string) (bool, error) {
	shared, err := os.Open(path + "-shm") //nolint:gosec // named by the operator
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer shared.Close()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK} // of the whole file; F_GETLK tests it only
	if err := syscall.FcntlFlock(shared.Fd(), syscall.F_GETLK, &lock); err != nil {
		return false, err
	}
	return lock.Type != syscall.F_UNLCK, nil
}
