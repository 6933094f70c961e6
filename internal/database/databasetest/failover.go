package databasetest

import (
	"fmt"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// StopImmediately runs `pg_ctl -m immediate stop`: without a checkpoint and without
// waiting for clients. The next Start recovers from the WAL.
func (s *PostgresServer) StopImmediately() error {
	out, err := s.tool("pg_ctl", "-D", s.data(), "-m", "immediate", "stop")
	if err != nil {
		return fmt.Errorf("pg_ctl: %w: %s", err, out)
	}
	<-s.done
	return nil
}

// Kill ends the server and all its processes by SIGKILL, as a power failure does.
func (s *PostgresServer) Kill() {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	<-s.done
}

// StartStandby starts a streaming standby of s on a copy made by pg_basebackup, and
// makes s wait for it at each commit.
func (s *PostgresServer) StartStandby() (*PostgresServer, error) {
	standby, err := newPostgres(s.options)
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(s.base)
	if err != nil {
		return nil, err
	}
	if out, err := standby.tool("pg_basebackup", "-h", at.Hostname(), "-p", at.Port(), "-U", "postgres",
		"-D", standby.data(), "-R", "-X", "stream", "-c", "fast"); err != nil {
		return nil, fmt.Errorf("pg_basebackup: %w: %s", err, out)
	}
	if err := standby.Start(); err != nil {
		return nil, err
	}
	for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"} {
		if err := s.exec(statement); err != nil {
			return nil, err
		}
	}
	for range 300 {
		// The statement divides by zero until the standby is synchronous.
		if err = s.exec("SELECT 1 / COUNT(*) FROM pg_stat_replication WHERE sync_state = 'sync'"); err == nil {
			return standby, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, fmt.Errorf("the standby is not synchronous: %w", err)
}

// Promote makes a standby the primary.
func (s *PostgresServer) Promote() error {
	return s.exec("SELECT 1 / CAST(CASE WHEN pg_promote() THEN 1 ELSE 0 END AS BIGINT)")
}

// FailoverAddress returns the address, for the serving role, of a database on the
// primary of two servers.
func (s *PostgresServer) FailoverAddress(other *PostgresServer, database string) string {
	hosts := s.base + "," + strings.TrimPrefix(other.base, "postgres://postgres@")
	return ServingAddress(hosts + "/" + database + "?sslmode=disable&target_session_attrs=read-write")
}

// CreateDatabase creates an empty database on the server.
func (s *PostgresServer) CreateDatabase(database string) error {
	return s.exec("CREATE DATABASE " + database)
}

func (s *PostgresServer) tool(name string, args ...string) (string, error) {
	path, err := Binary(name)
	if err != nil {
		return "", err
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.SysProcAttr = s.folder, s.attributes()
	out, err := cmd.CombinedOutput()
	return string(out), err
}
