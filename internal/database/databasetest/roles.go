package databasetest

import (
	"net/url"
	"os"
	"strings"
	"time"

	"elsom/internal/database"
)

// The roles of the tests' PostgreSQL databases, as in the operator's handbook.
const (
	// OwnerRole owns the tables and migrates them.
	OwnerRole = "elsom_owner"
	// ServingRole is the role of `elsom serve`.
	ServingRole = "elsom"
)

// superuser returns the superuser of the server.
func superuser() string {
	if at, err := url.Parse(os.Getenv("ELSOM_TEST_POSTGRES")); err == nil && at.User != nil {
		return at.User.Username()
	}
	return "postgres"
}

// Prepare makes an empty database ready for the serving role: it creates the two roles
// and migrates the database as its owner.
func (s *PostgresServer) Prepare(name string) error {
	if err := s.createRoles(name); err != nil {
		return err
	}
	return migrate(OwnerAddress(s.Address(name)))
}

// createRoles runs the script of the two roles in a database.
func (s *PostgresServer) createRoles(name string) (err error) {
	for range 20 { // roles belong to the server, which other test processes may share
		if err = s.Exec(name, database.RolesSQL(OwnerRole, ServingRole)); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

// ServingAddress returns the address of a database for the serving role.
func (s *PostgresServer) ServingAddress(name string) string {
	return addressAs(s.Address(name), ServingRole)
}

// OwnerAddress returns the address of the same database for the role that owns its
// tables. It returns an address of SQLite as it is.
func OwnerAddress(address string) string { return addressAs(address, OwnerRole) }

// ServingAddress returns the address of the same database for the serving role.
func ServingAddress(address string) string { return addressAs(address, ServingRole) }

// addressAs returns a postgres address with another role. An address with several
// hosts is no URL that net/url reads.
func addressAs(address, role string) string {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return address
	}
	host, path, _ := strings.Cut(rest, "/")
	return scheme + "://" + role + "@" + host[strings.LastIndex(host, "@")+1:] + "/" + path
}
