package databasetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// PostgresServer is a running server on which tests may create databases.
type PostgresServer struct {
	base       string // postgres://user@host:port
	folder     string // contains data and the log
	port       int
	options    []string // for each start
	attributes func() *syscall.SysProcAttr
	cmd        *exec.Cmd
	done       chan struct{} // closed when the running one has ended
}

// Server returns the server shared by the tests of the process. It is started at the
// first call and ends with the process. Its fsync is off, since tests of durability
// kill the program and not the machine; benchmarks start servers of their own.
var Server = sync.OnceValues(func() (*PostgresServer, error) {
	if base := os.Getenv("ELSOM_TEST_POSTGRES"); base != "" {
		return &PostgresServer{base: base}, nil
	}
	options := []string{"-c", "fsync=off", "-c", "full_page_writes=off"}
	if os.Getenv("ELSOM_TEST_ISOLATION") == "serializable" {
		options = append(options, "-c", "default_transaction_isolation=serializable")
	}
	return StartPostgres(options...)
})

// Address returns the address of a database on the server.
func (s *PostgresServer) Address(database string) string {
	return s.base + "/" + database + "?sslmode=disable"
}

func (s *PostgresServer) exec(statement string) error {
	return s.withConn(func(ctx context.Context, db *sql.DB) error {
		_, err := db.ExecContext(ctx, statement)
		return err
	})
}

// query reads one value.
func (s *PostgresServer) query(value any, statement string) error {
	return s.withConn(func(ctx context.Context, db *sql.DB) error { return db.QueryRowContext(ctx, statement).Scan(value) })
}

func (s *PostgresServer) withConn(use func(ctx context.Context, db *sql.DB) error) error {
	db, err := sql.Open("pgx", s.Address("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return use(ctx, db)
}

// Binary returns the path of a program of the newest PostgreSQL on the machine.
func Binary(name string) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		sort.Slice(found, func(i, j int) bool { return version(found[i]) < version(found[j]) })
		return found[len(found)-1], nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is missing: install PostgreSQL (Debian: apt-get install postgresql)", name)
	}
	return path, nil
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// StartPostgres starts a dedicated server with these command-line options, in a
// temporary folder and on a free loopback port. It ends with this process.
func StartPostgres(options ...string) (*PostgresServer, error) {
	initdb, err := Binary("initdb")
	if err != nil {
		return nil, err
	}
	server, err := newPostgres(options)
	if err != nil {
		return nil, err
	}
	init := exec.Command(initdb, "-D", server.data(), "-A", "trust", "-U", "postgres", "-N", "-E", "UTF8", "--locale=C.UTF-8")
	init.Dir, init.SysProcAttr = server.folder, server.attributes()
	if out, err := init.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	return server, server.Start()
}

// newPostgres returns a server that is not started, with a folder and a port.
func newPostgres(options []string) (*PostgresServer, error) {
	sweep()
	folder, err := os.MkdirTemp("", "elsom-postgres")
	if err != nil {
		return nil, err
	}
	attributes, err := asPostgres(folder)
	if err != nil {
		return nil, err
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	return &PostgresServer{
		base: "postgres://postgres@127.0.0.1:" + strconv.Itoa(port), folder: folder, port: port,
		options: options, attributes: attributes,
	}, nil
}

func (s *PostgresServer) data() string { return filepath.Join(s.folder, "data") }

// sweep removes the folders of servers that were killed together with their test
// process. A server that is just starting has no pid file either, so only folders older
// than ten minutes are removed.
func sweep() {
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), "elsom-postgres*"))
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err != nil || time.Since(info.ModTime()) < 10*time.Minute {
			continue
		}
		if _, err := os.Stat(filepath.Join(folder, "data", "postmaster.pid")); errors.Is(err, os.ErrNotExist) {
			_ = os.RemoveAll(folder)
		}
	}
}

// asPostgres returns the process attributes of the server. If the process runs as root,
// the server and its folder get the user postgres, since PostgreSQL refuses to run as
// root.
func asPostgres(folder string) (func() *syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return func() *syscall.SysProcAttr {
			return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGQUIT}
		}, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, errors.New("the user postgres is missing: install PostgreSQL (Debian: apt-get install postgresql)")
	}
	uid, _ := strconv.ParseUint(account.Uid, 10, 32)
	gid, _ := strconv.ParseUint(account.Gid, 10, 32)
	if err := os.Chown(folder, int(uid), int(gid)); err != nil {
		return nil, err
	}
	return func() *syscall.SysProcAttr {
		return &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
			Setpgid:    true, Pdeathsig: syscall.SIGQUIT,
		}
	}, nil
}

// Start starts a server that is not running, with its data and port, and waits until it
// accepts connections.
func (s *PostgresServer) Start() error {
	binary, err := Binary("postgres")
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	s.cmd = exec.Command(binary, append([]string{"-D", s.data(), "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "max_connections=300"}, s.options...)...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr, s.cmd.SysProcAttr = s.folder, log, log, s.attributes()
	cmd, done, started := s.cmd, make(chan struct{}), make(chan error)
	s.done = done
	go func() {
		// Linux sends the death signal when the thread that started the child ends, so
		// the thread is kept until the server has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			_ = log.Close()
			close(done)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	return s.wait()
}

func (s *PostgresServer) wait() error {
	var err error
	for range 300 {
		if err = s.exec("SELECT 1"); err == nil {
			return nil
		}
		select {
		case <-s.done:
			return errors.New("PostgreSQL exited during start")
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("PostgreSQL does not accept connections: %w", err)
}

// Stop stops a server that StartPostgres started, waits for its exit and removes its
// data.
func (s *PostgresServer) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGINT)
	<-s.done
	_ = os.RemoveAll(s.folder)
}

// FreePort returns an unused loopback port.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
