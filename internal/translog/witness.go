package translog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"elsom/internal/checkpoint"
)

// witness is a file with the last checkpoint that this process has seen.
type witness struct{ path string }

// read returns the checkpoint of the file; nil if there is no file or no keys.
func (w witness) read(keys *checkpoint.Keys) (*checkpoint.Checkpoint, error) {
	if w.path == "" || keys == nil {
		return nil, nil
	}
	text, err := ReadCheckpointFile(w.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	c, err := keys.Open(text)
	if err != nil {
		return nil, fmt.Errorf("%w: the checkpoint in %s: %w", ErrForked, w.path, err)
	}
	return &c, nil
}

// ReadCheckpointFile reads a file with a checkpoint. Larger files are refused.
func ReadCheckpointFile(path string) (string, error) {
	file, err := os.Open(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, checkpoint.MaxSize+1))
	if err == nil && len(text) > checkpoint.MaxSize {
		err = fmt.Errorf("%s is larger than a checkpoint", path)
	}
	return string(text), err
}

// write replaces the file by a new one, so that after a crash it has the old or the new
// checkpoint.
func (w witness) write(checkpoint string) (err error) {
	if w.path == "" {
		return nil
	}
	folder := filepath.Dir(w.path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, filepath.Base(w.path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	if _, err = file.WriteString(checkpoint); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err = os.Rename(file.Name(), w.path); err != nil {
		return err
	}
	return syncFolder(folder)
}

func syncFolder(path string) error {
	folder, err := os.Open(path) // #nosec G304 -- of the operator's file
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
