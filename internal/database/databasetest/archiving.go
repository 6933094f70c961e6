package databasetest

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// StartArchiving starts a dedicated server that archives its WAL as the operator's
// handbook describes.
func StartArchiving() (*PostgresServer, error) {
	return StartPostgres("-c", "wal_level=replica", "-c", "archive_mode=on",
		"-c", "archive_command=mkdir -p ../archive && test ! -f ../archive/%f && cp %p ../archive/%f")
}

// BaseBackup makes a base backup of a running server that archives and returns it as a
// server that is not started.
func (s *PostgresServer) BaseBackup() (*PostgresServer, error) {
	base, err := newPostgres([]string{"-c", "restore_command=cp " + filepath.Join(s.folder, "archive") + "/%f %p"})
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(s.base)
	if err != nil {
		return nil, err
	}
	if out, err := base.tool("pg_basebackup", "-h", at.Hostname(), "-p", at.Port(), "-U", "postgres", "-D", base.data(), "-c", "fast"); err != nil {
		return nil, fmt.Errorf("pg_basebackup: %w: %s", err, out)
	}
	return base, nil
}

// WaitArchived waits until the WAL written so far is archived.
func (s *PostgresServer) WaitArchived() error {
	var segment string
	if err := s.query(&segment, "SELECT pg_walfile_name(pg_switch_wal())"); err != nil {
		return err
	}
	for range 300 {
		if _, err := os.Stat(filepath.Join(s.folder, "archive", segment)); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("%s is not archived", segment)
}

// RecoverTo starts a base backup with point-in-time recovery to a time.
func (s *PostgresServer) RecoverTo(target time.Time) error {
	if err := os.WriteFile(filepath.Join(s.data(), "recovery.signal"), nil, 0o600); err != nil {
		return err
	}
	s.options = append(s.options, "-c", "recovery_target_time="+target.UTC().Format("2006-01-02 15:04:05.000000+00"),
		"-c", "recovery_target_action=promote")
	if err := s.Start(); err != nil {
		return err
	}
	var recovering bool
	for range 300 {
		if err := s.query(&recovering, "SELECT pg_is_in_recovery()"); err != nil {
			return err
		}
		if !recovering {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("the server is still in recovery")
}
