package config

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Problem is an invalid variable and the reason, which never contains a value that may
// be secret.
type Problem struct{ Variable, Reason string }

// Problems is a list of all problems of an environment. Error returns one line per
// problem.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Variable + ": " + problem.Reason
	}
	return strings.Join(lines, "\n")
}

func (p *Problems) add(variable, reason string, args ...any) {
	*p = append(*p, Problem{variable, fmt.Sprintf(reason, args...)})
}

// has reports whether the list has a problem of that variable.
func (p *Problems) has(variable string) bool {
	return slices.ContainsFunc(*p, func(problem Problem) bool { return problem.Variable == variable })
}

// variables are the variables. Their list in the operator's handbook (elsom help
// config) is generated from the tags: help describes the variable, defaultText
// describes a default that envDefault can't express.
type variables struct {
	Mode               string `env:"ELSOM_MODE" envDefault:"production" help:"production or development. Development adds the pages under /dev, the demo agents and a demo gateway, keeps SMS and e-mail in the database, and listens on loopback only."`
	Listen             string `env:"ELSOM_LISTEN" envDefault:"127.0.0.1:8080" help:"Address to listen on, host:port."`
	BaseURL            string `env:"ELSOM_BASE_URL" defaultText:"http:// and the address of ELSOM_LISTEN" help:"Public address, such as https://wallet.example.kg. Production accepts http on loopback only: TLS ends at the proxy in front."`
	DatabaseURL        string `env:"ELSOM_DATABASE_URL" defaultText:"sqlite:var/elsom.db in development; required in production" help:"sqlite:PATH or postgres://USER@HOST/NAME."`
	SecretKey          string `env:"ELSOM_SECRET_KEY" defaultText:"required in production" help:"At least 32 random bytes. The keys of cookies, form tokens, SMS codes and stored passwords of billers are derived from it. To replace it, see elsom help keys."`
	DosTekURL          string `env:"ELSOM_DOSTEK_URL" defaultText:"the stand-in, in development" help:"DosTek's payment address. Without it, and without one in the catalog, production doesn't offer the service and logs a warning at the start."`
	PINPepper          string `env:"ELSOM_PIN_PEPPER" defaultText:"required in production" help:"At least 32 random bytes, another value than ELSOM_SECRET_KEY. PINs are hashed with it. Keep it away from the database and its backups. To replace it, see elsom help keys."`
	SecretKeyPrevious  string `env:"ELSOM_SECRET_KEY_PREVIOUS" help:"While ELSOM_SECRET_KEY is replaced: the other key, which is accepted too. See elsom help keys."`
	PINPepperPrevious  string `env:"ELSOM_PIN_PEPPER_PREVIOUS" help:"While ELSOM_PIN_PEPPER is replaced: the other one, which is accepted too. See elsom help keys."`
	BooksKey           string `env:"ELSOM_BOOKS_KEY" defaultText:"derived from the secret in development" help:"Signs the rows that decide where money goes; elsom key new prints one. Several keys, one a line: the first signs, all verify. Keep it away from the database and its backups. Without it rows are written unsigned, and production logs a warning."`
	CheckpointKey      string `env:"ELSOM_CHECKPOINT_KEY" defaultText:"derived from the secret in development" help:"Signs the checkpoints of the log; elsom key new --checkpoint NAME prints one. Earlier keys, private or public, may follow, one a line: they only verify. Keep it away from the database and its backups. Without it the log has no checkpoints, and production logs a warning."`
	CheckpointFile     string `env:"ELSOM_CHECKPOINT_FILE" defaultText:"beside the SQLite database in development, PATH.checkpoint" help:"File outside the database and its backups that keeps the last checkpoint of the log, so that a restore to an earlier moment is noticed: see elsom help log. The portal writes it."`
	BooksEnforce       string `env:"ELSOM_BOOKS_ENFORCE" envDefault:"off" help:"on refuses rows without a signature even if the database still permits them: see elsom help audit."`
	BillerCertificates string `env:"ELSOM_BILLER_CERTIFICATES" help:"Folder of client certificates for billers: CODE.crt and CODE.key (PEM), named by the biller's code."`
	TrustedProxies     string `env:"ELSOM_TRUSTED_PROXIES" help:"Addresses and CIDRs of the proxies whose X-Forwarded-For and X-Forwarded-Proto count, separated by commas. Required where the public address is https."`
	MetricsListen      string `env:"ELSOM_METRICS_LISTEN" help:"Address of the Prometheus metrics, /metrics. Never the public one."`
	VAPIDKey           string `env:"ELSOM_VAPID_KEY" help:"Key that signs Web Push, as elsom vapid prints it. Without it there are no push notifications."`
	PushHosts          string `env:"ELSOM_PUSH_HOSTS" help:"Push services besides the known ones, such as push.example.net,*.example.org. No other host is called."`
	SMSURL             string `env:"ELSOM_SMS_URL" help:"Kannel's sendsms address with user and password, and ?from= for the sender. Without it messages wait in the queue."`
	SMSReceiptsURL     string `env:"ELSOM_SMS_RECEIPTS_URL" help:"Where Kannel delivers receipts: http://GATEWAY:PASSWORD@HOST/sms/dlr. Without it no receipts are requested."`
	SMSBudget          string `env:"ELSOM_SMS_BUDGET" defaultText:"5000" help:"SMS codes a day for all browsers and networks that are unknown for their number; one network gets a fifth."`
	PasswordList       string `env:"ELSOM_PASSWORD_LIST" help:"File of passwords that customers may not set, such as those of known breaches: plain text, one a line, at most 5 million. It is read at the start. The 3,000 most common ones, and the customer's number, name and e-mail, are refused in any case."`
	IssuedPINLife      string `env:"ELSOM_ISSUED_PIN_LIFE" defaultText:"720h" help:"How long a PIN that was sent by SMS and never used is accepted; then a new one is requested by *900#, 8, 5, or from staff. 0: without end."`
	SMTPURL            string `env:"ELSOM_SMTP_URL" help:"smtp://USER:PASSWORD@HOST:587 (STARTTLS is required, except on loopback or with ?tls=optional) or smtps://… for notices by e-mail; ?from= sets the sender. Without it no e-mail is sent."`
	Retention          string `env:"ELSOM_RETENTION" defaultText:"messages=180,inbox=30,closed=keep,security=365" help:"Days after which personal data is deleted that the books don't need, or keep: see elsom help privacy."`
	RateLimits         string `env:"ELSOM_RATE_LIMITS" envDefault:"on" help:"off switches rate limits off, for measuring, in development only. Wrong PINs and codes are counted in any case."`
	Drain              string `env:"ELSOM_DRAIN" defaultText:"5s; none in development" help:"How long /healthz answers 503 after SIGTERM or SIGHUP before the server stops accepting requests, so that load balancers stop sending traffic."`
}

// secrets are the variables that can also be read from a file, whose path is in the
// variable with the suffix _FILE.
var secrets = []string{
	"ELSOM_DATABASE_URL", "ELSOM_SECRET_KEY", "ELSOM_SECRET_KEY_PREVIOUS", "ELSOM_PIN_PEPPER_PREVIOUS", "ELSOM_DOSTEK_URL", "ELSOM_PIN_PEPPER",
	"ELSOM_BOOKS_KEY", "ELSOM_CHECKPOINT_KEY", "ELSOM_VAPID_KEY", "ELSOM_SMS_URL", "ELSOM_SMS_RECEIPTS_URL", "ELSOM_SMTP_URL",
}

const (
	secretBytes = 32
	// secretDistinct is the minimum number of different bytes in a secret: 32 random
	// hex digits have fewer once in millions.
	secretDistinct = 8
	// Defaults in development. They are public; production rejects the secret.
	developmentSecret   = "development only: this secret is known to all the world"
	developmentDosTek   = "http://127.0.0.1:8090/pay"
	developmentDatabase = "sqlite:var/elsom.db"
)

// Parse parses and checks an environment, a map from name to value. The error, if any,
// is Problems.
func Parse(environment map[string]string) (*Config, error) { return parse(environment, false) }

func parse(environment map[string]string, withoutPepper bool) (*Config, error) {
	var problems Problems
	unknown := checkNames(environment, knownNames(), &problems)
	in := read(environment, secrets, &problems)
	c := &Config{
		Mode:               Mode(in.Mode),
		Listen:             in.Listen,
		BaseURL:            strings.TrimSuffix(in.BaseURL, "/"),
		SecretKey:          Secret(in.SecretKey),
		PINPepper:          Secret(in.PINPepper),
		SecretKeyPrevious:  Secret(in.SecretKeyPrevious),
		PINPepperPrevious:  Secret(in.PINPepperPrevious),
		BooksKey:           Secret(in.BooksKey),
		CheckpointKey:      Secret(in.CheckpointKey),
		CheckpointFile:     in.CheckpointFile,
		BooksEnforce:       in.BooksEnforce == "on",
		DosTekURL:          Secret(in.DosTekURL),
		BillerCertificates: in.BillerCertificates,
		TrustedProxies:     prefixes(in.TrustedProxies, &problems),
		MetricsListen:      in.MetricsListen,
		VAPIDKey:           Secret(in.VAPIDKey),
		PushHosts:          hosts(in.PushHosts, &problems),
		SMSURL:             Secret(in.SMSURL),
		SMSReceiptsURL:     Secret(in.SMSReceiptsURL),
		PasswordList:       in.PasswordList,
		SMTPURL:            Secret(in.SMTPURL),
		RateLimits:         in.RateLimits != "off",
	}
	if c.BaseURL == "" {
		c.BaseURL = "http://" + c.Listen
	}
	c.Drain = drain(in.Drain, c.Mode, &problems)
	c.SMSBudget = smsBudget(in.SMSBudget, &problems)
	c.IssuedPINLife = issuedPINLife(in.IssuedPINLife, &problems)
	c.Retention = retention(in.Retention, &problems)
	checkMode(c, in, &problems)
	checkAddresses(c, &problems)
	checkProxies(c, &problems)
	checkSecrets(c, &problems)
	checkBooks(c, in, &problems)
	c.DatabaseURL = database(in, &problems)
	checkCheckpoint(c, &problems)
	//mutant:drop TestRefused
	checkVAPID(c.VAPIDKey, &problems)
	checkBiller("ELSOM_DOSTEK_URL", c.DosTekURL, &problems)
	checkSMS("ELSOM_SMS_URL", c.SMSURL, &problems)
	checkReceipts("ELSOM_SMS_RECEIPTS_URL", c.SMSReceiptsURL, &problems)
	checkURL("ELSOM_SMTP_URL", c.SMTPURL, &problems, "smtp", "smtps")
	if withoutPepper {
		c.PINPepper, c.PINPepperPrevious = "", ""
		problems = slices.DeleteFunc(problems, func(p Problem) bool { return strings.HasPrefix(p.Variable, "ELSOM_PIN_PEPPER") })
	}
	if len(problems) > 0 {
		return nil, problems
	}
	c.Warnings = warnings(c, unknown)
	return c, nil
}

// ParseDatabase parses ELSOM_DATABASE_URL alone, which has a default in development.
func ParseDatabase(environment map[string]string) (Secret, error) {
	const url, mode = "ELSOM_DATABASE_URL", "ELSOM_MODE"
	var problems Problems
	//mutant:drop TestParseDatabase
	checkNames(environment, []string{mode, url, url + fileSuffix}, &problems)
	address := database(read(environment, []string{url}, &problems), &problems)
	if len(problems) > 0 {
		return "", problems
	}
	return address, nil
}

// read fills in defaults and the contents of secrets' files. An empty variable counts
// as not set, so that a service file can contain lines without a value.
func read(environment map[string]string, files []string, problems *Problems) variables {
	vars := map[string]string{}
	for name, value := range environment {
		if value != "" && strings.HasPrefix(name, prefix) {
			vars[name] = value
		}
	}
	for _, name := range files {
		//mutant:replace vars[name+fileSuffix] => "", false TestSecretsFromFiles
		path, ok := vars[name+fileSuffix]
		if !ok {
			continue
		}
		if _, both := vars[name]; both {
			problems.add(name, "given twice, here and as %s_FILE", name)
			continue
		}
		content, err := readFile(path, vars["ELSOM_MODE"] != string(Development))
		if err != nil {
			problems.add(name+fileSuffix, "%s", fileProblem(path, err))
			continue
		}
		vars[name] = strings.TrimRight(content, "\r\n")
	}
	var in variables
	if err := env.ParseWithOptions(&in, env.Options{Environment: vars}); err != nil {
		problems.add("ELSOM_", "can't be read")
	}
	return in
}

// quote quotes the value of a public variable for a message. It masks a value that
// looks like a key or an address with a password, set in the wrong variable.
func quote(value string) string {
	const longest = 43 // a key of 32 bytes in base64 has more
	//mutant:replace longest || strings.Contains(value, "@") => 1000 TestSecretsAreNeverPrinted
	if len(value) > longest || strings.Contains(value, "@") {
		return "(not shown)"
	}
	return strconv.Quote(value)
}

// fileProblem says what is wrong with the file of a secret, with its name.
func fileProblem(path string, err error) string {
	var failed *os.PathError
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return fmt.Sprintf("%s: %v", shownPath(path), err)
}

// shownPath returns the name of a secret's file for a message. It masks what may be the
// secret itself, set where its file belongs.
func shownPath(path string) string {
	rooted := filepath.IsAbs(path) || strings.HasPrefix(path, "."+string(filepath.Separator)) || strings.HasPrefix(path, "..")
	_, err := os.Stat(filepath.Dir(path))
	const longest = 43 // a key of 32 bytes in base64 has more
	//mutant:replace rooted && ( => (rooted || TestSecretFilesAreNamed
	if rooted && (err == nil || len(path) <= longest) {
		return path
	}
	return "(a name that is not shown: give the whole path)"
}

// largestSecret is the maximum size of a secret's file in bytes: a large file was named
// by mistake.
const largestSecret = 64 << 10

// readFile reads a secret. In production it rejects a file that every user of the
// machine can read or write.
func readFile(path string, production bool) (string, error) {
	file, err := os.Open(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	//mutant:replace others = 0o006 => others = 0 TestSecretFilesOfOthers
	const others = 0o006
	if mode := info.Mode(); production && mode.IsRegular() && mode.Perm()&others != 0 && runtime.GOOS != "windows" {
		return "", fmt.Errorf("every user of this machine can read or write it (mode %04o); run: chmod 0400 %s", mode.Perm(), path)
	}
	content, err := io.ReadAll(io.LimitReader(file, largestSecret+1))
	if err == nil && len(content) > largestSecret {
		err = fmt.Errorf("is larger than %d bytes", largestSecret)
	}
	return string(content), err
}

func checkMode(c *Config, in variables, problems *Problems) {
	if c.Mode != Production && c.Mode != Development {
		problems.add("ELSOM_MODE", "is %s, must be production or development", quote(in.Mode))
	}
	switch in.RateLimits {
	case "on":
	case "off":
		//mutant:drop TestRefused
		if c.Mode != Development {
			problems.add("ELSOM_RATE_LIMITS", "may be off in development only")
		}
	default:
		problems.add("ELSOM_RATE_LIMITS", "is %s, must be on or off", quote(in.RateLimits))
	}
	if c.Mode == Development && in.DosTekURL == "" {
		c.DosTekURL = developmentDosTek
	}
}

func checkAddresses(c *Config, problems *Problems) {
	checkListen("ELSOM_LISTEN", c.Listen, c.Mode, problems)
	if c.MetricsListen != "" {
		checkListen("ELSOM_METRICS_LISTEN", c.MetricsListen, c.Mode, problems)
		if c.MetricsListen == c.Listen {
			problems.add("ELSOM_METRICS_LISTEN", "must not be the public address")
		}
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") ||
		base.Path != "" || base.RawQuery != "" || base.Fragment != "" || base.User != nil {
		problems.add("ELSOM_BASE_URL", "must be http(s)://host without a path")
		return
	}
	if c.Mode != Production || base.Scheme != "http" {
		return
	}
	//mutant:drop TestRefused
	if !loopback(base.Hostname()) {
		problems.add("ELSOM_BASE_URL", "must be https in production, except on loopback")
		return
	}
	// Otherwise browsers would send cookies over plain http.
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && !loopback(host) {
		problems.add("ELSOM_LISTEN", "is %s, which other machines reach, but ELSOM_BASE_URL is http", quote(c.Listen))
	}
}

func checkListen(variable, address string, mode Mode, problems *Problems) {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		problems.add(variable, "is %s, must be host:port", quote(address))
		return
	}
	//mutant:replace !loopback(host) => host == "none" TestRefused
	if mode == Development && !loopback(host) {
		problems.add(variable, "is %s, but development listens on loopback only", quote(address))
	}
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// database returns the database's address. It has a default in development only: in
// production a forgotten or mistyped variable would open an empty database.
func database(in variables, problems *Problems) Secret {
	const variable, form = "ELSOM_DATABASE_URL", "sqlite:PATH or postgres://user@host/name"
	address := in.DatabaseURL
	switch {
	case address != "":
	//mutant:replace in.Mode == string(Development) => true TestRefused
	case in.Mode == string(Development):
		return developmentDatabase
	case problems.has(variable + fileSuffix): // its file can't be used
		return ""
	default:
		problems.add(variable, "is required in production, as %s; to try the program out, set ELSOM_MODE=development", form)
		return ""
	}
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok && path != "" {
		return Secret(address)
	}
	if at, err := url.Parse(address); err == nil && (at.Scheme == "postgres" || at.Scheme == "postgresql") && (at.Host != "" || at.RawQuery != "") {
		return Secret(address)
	}
	problems.add(variable, "must be %s", form)
	return ""
}

// hostName matches a host name with a top-level domain, alone or after "*.", which
// means any subdomain.
//
//mutant:replace )+ => )* TestRefused
var hostName = regexp.MustCompile(`^(\*\.)?([a-z0-9-]+\.)+[a-z][a-z0-9-]*$`)

func hosts(list string, problems *Problems) []string {
	var found []string
	for item := range strings.SplitSeq(strings.ToLower(list), ",") {
		switch item = strings.TrimSpace(item); {
		case item == "":
		case hostName.MatchString(item):
			found = append(found, item)
		default:
			problems.add("ELSOM_PUSH_HOSTS", "%s is not a host name, alone or after *.", quote(item))
		}
	}
	return found
}
