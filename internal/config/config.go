// Package config parses the environment into one checked struct.
//
// It reports all problems at once, each with the name of its variable and what to
// do; it never prints a secret; and neither mode accepts what only the other may
// have. It is the only package that reads the environment. It reads the files of
// secrets and opens nothing else.
package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"elsom/internal/checkpoint"
	"elsom/internal/signature"
)

// Mode is development or production.
type Mode string

// Production is the default. Development adds the demo agents and the pages
// under /dev, and stays on loopback.
const (
	Production  Mode = "production"
	Development Mode = "development"
)

// Config is the whole configuration; Parse has checked it.
type Config struct {
	Mode Mode
	// Listen is host:port. In development always a loopback address.
	Listen string
	// BaseURL is the public address without a trailing slash.
	BaseURL string
	// DatabaseURL is sqlite:PATH or postgres://…, which may hold a password.
	DatabaseURL Secret
	// SecretKey is at least 32 bytes; keys for single uses are derived from it.
	SecretKey Secret
	// PINPepper is at least 32 bytes and never the secret key itself.
	PINPepper Secret
	// SecretKeyPrevious and PINPepperPrevious are those that SecretKey and PINPepper
	// replace; empty: none.
	SecretKeyPrevious, PINPepperPrevious Secret
	// BooksKey has the keys that sign rows, one a line; empty: rows are not signed.
	BooksKey Secret
	// CheckpointKey has the keys of the log's checkpoints, one a line, the signing one
	// first; empty: none are signed.
	CheckpointKey Secret
	// CheckpointFile keeps the log's last checkpoint outside the database; empty: none.
	CheckpointFile string
	// BooksEnforce refuses unsigned rows whatever the database permits.
	BooksEnforce bool
	// DosTekURL is DosTek's payment address; empty: not connected.
	DosTekURL Secret
	// BillerCertificates is the folder of client certificates for billers; empty:
	// none.
	BillerCertificates string
	// TrustedProxies are the networks whose X-Forwarded headers count.
	TrustedProxies []netip.Prefix
	// MetricsListen is host:port; empty: no metrics.
	MetricsListen string
	// VAPIDKey signs Web Push; empty: no push.
	VAPIDKey Secret
	// PushHosts are push services besides the known ones, in lower case; "*." before
	// a name means any subdomain.
	PushHosts []string
	// SMSURL is Kannel's sendsms address with its user and password.
	SMSURL Secret
	// SMSReceiptsURL is where Kannel delivers receipts, with a gateway's code and
	// password; empty: none are requested.
	SMSReceiptsURL Secret
	// SMSBudget is the number of SMS codes a day for all browsers and addresses that
	// are unfamiliar for the number.
	SMSBudget int
	// PasswordList is a file of passwords that customers may not set, one a line; empty:
	// none.
	PasswordList string
	// IssuedPINLife is how long a PIN that was sent by SMS and never used is accepted;
	// zero: until it is changed.
	IssuedPINLife time.Duration
	// SMTPURL is smtp:// or smtps:// with user and password; empty: no e-mail.
	SMTPURL Secret
	// Drain is how long, after SIGTERM, health checks fail before the server stops
	// accepting requests.
	Drain time.Duration
	// Retention says how long personal data is kept.
	Retention Retention
	// RateLimits is false only for measurements.
	RateLimits bool
	// Warnings are settings that may be mistakes, for the log.
	Warnings []Problem
}

// Load parses the environment of the process. The error, if any, is Problems.
func Load() (*Config, error) { return Parse(environment()) }

// LoadDatabase returns only the database's address, for commands that need nothing
// else and run without the server's secrets.
func LoadDatabase() (Secret, error) { return ParseDatabase(environment()) }

// LoadSecretKey returns only the server's secret, for commands that can run without
// it; empty if it is not set. The error, if any, is Problems.
func LoadSecretKey() (Secret, error) { return ParseSecretKey(environment()) }

// LoadMode returns only the mode.
func LoadMode() Mode { return ParseMode(environment()) }

// LoadPreviousSecretKey returns the secret key that the server's one replaces; empty if
// none is set.
func LoadPreviousSecretKey() Secret { return ParsePreviousSecretKey(environment()) }

// LoadVAPIDKey returns only the key of Web Push, for commands that can run without
// it; empty if it is not set.
func LoadVAPIDKey() Secret { return ParseVAPIDKey(environment()) }

// LoadWithoutPepper is Load for commands that check no PIN: ELSOM_PIN_PEPPER may be
// missing.
func LoadWithoutPepper() (*Config, error) { return ParseWithoutPepper(environment()) }

// LoadBooks returns only the books' keys, for commands that run without the server's
// other secrets; nil if none are set.
func LoadBooks() (keys *signature.Keys, enforce bool, err error) { return ParseBooks(environment()) }

// ChoosesBooksKey reports whether the environment sets the books' keys, rather than
// leaving them to a default that another process may not have.
func ChoosesBooksKey() bool { return choosesBooksKey(environment()) }

// LoadCheckpoint returns only the settings of the log's checkpoints, for commands that
// run without the server's secrets.
func LoadCheckpoint() (keys *checkpoint.Keys, file string, err error) {
	return ParseCheckpoint(environment())
}

func environment() map[string]string {
	vars := map[string]string{}
	for _, line := range os.Environ() {
		if name, value, ok := strings.Cut(line, "="); ok {
			vars[name] = value
		}
	}
	return vars
}

// Development reports whether the mode is development.
func (c *Config) Development() bool { return c.Mode == Development }

// HTTPS reports whether the public address uses TLS.
func (c *Config) HTTPS() bool { return strings.HasPrefix(c.BaseURL, "https://") }

// String returns a line for people, without secrets.
func (c *Config) String() string {
	return fmt.Sprintf("mode=%s listen=%s base=%s", c.Mode, c.Listen, c.BaseURL)
}

// LogValue returns the settings that may be logged.
func (c *Config) LogValue() slog.Value {
	database, _, _ := strings.Cut(c.DatabaseURL.Reveal(), ":")
	return slog.GroupValue(
		slog.String("mode", string(c.Mode)),
		slog.String("listen", c.Listen),
		slog.String("base_url", c.BaseURL),
		slog.String("database", database),
		slog.Bool("dostek", c.DosTekURL.Set()),
		slog.Int("trusted_proxies", len(c.TrustedProxies)),
		slog.String("metrics_listen", c.MetricsListen),
		slog.Bool("push", c.VAPIDKey.Set()),
		slog.Bool("sms", c.SMSURL.Set()),
		slog.Bool("email", c.SMTPURL.Set()),
		slog.Bool("rate_limits", c.RateLimits),
	)
}

// smsBudget parses the budget.
func smsBudget(text string, problems *Problems) int {
	const byDefault, smallest, largest = 5000, 5, 10_000_000
	if text == "" {
		return byDefault
	}
	codes, err := strconv.Atoi(text)
	if err != nil || codes < smallest || codes > largest {
		problems.add("ELSOM_SMS_BUDGET", "must be a number of SMS from %d to %d, such as %d", smallest, largest, byDefault)
	}
	return codes
}

// issuedPINLife parses the duration. It is at least as long as the SMS may take.
func issuedPINLife(text string, problems *Problems) time.Duration {
	const byDefault, least, most = 30 * days, days, mostDays * days
	switch text {
	case "":
		return byDefault
	case "0":
		return 0
	}
	life, err := time.ParseDuration(text)
	//mutant:replace life < least => life < 0 TestRefused
	if err != nil || life < least || life > most {
		problems.add("ELSOM_ISSUED_PIN_LIFE", "must be a time of at least 24h, such as 720h, or 0 for no end")
	}
	return life
}

// drain parses the duration. The default is five seconds, and none in development,
// where there is no load balancer.
func drain(text string, mode Mode, problems *Problems) time.Duration {
	switch {
	case text == "" && mode == Development:
		return 0
	case text == "":
		return 5 * time.Second
	}
	length, err := time.ParseDuration(text)
	if err != nil || length < 0 || length > time.Minute {
		problems.add("ELSOM_DRAIN", "must be a time up to 1m, such as 5s")
	}
	return length
}
