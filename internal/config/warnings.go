package config

import (
	"net"
	"net/netip"
	"net/url"
)

// warnings returns settings that may be mistakes. The portal logs them and starts.
func warnings(c *Config, unknown []string) []Problem {
	var found Problems
	for _, name := range unknown {
		found.add(name, "is not known to this release and changes nothing; correct the name, or unset it")
	}
	if c.Mode != Production {
		return found
	}
	switch {
	case !c.CheckpointKeys().CanSign():
		found.add(checkpointKey, "has no key that signs: the log has no checkpoints, by which others could prove that nothing was removed from it; make a key by `elsom key new --checkpoint NAME`")
	case c.CheckpointFile == "":
		found.add("ELSOM_CHECKPOINT_FILE", "is not set: if the database is restored to an earlier moment, only processes that run meanwhile notice it; name a file that is not on the database's machine and not in its backups")
	}
	if !c.BooksKey.Set() {
		found.add(booksKey, "is not set: rows are written without a signature, and elsom audit can't verify their origin; a later release requires it (elsom key new)")
	}
	warnListen(&found, "ELSOM_LISTEN", c.Listen,
		"every machine with a route can reach the portal without the proxy; listen on the proxy's network only, or use a firewall")
	warnListen(&found, "ELSOM_METRICS_LISTEN", c.MetricsListen,
		"every machine with a route can read the metrics; listen on the network of Prometheus only, or use a firewall")
	const tunnel = "; use https, or a tunnel or VPN"
	warnClear(&found, "ELSOM_DOSTEK_URL", c.DosTekURL, "payments go to DosTek in clear text and can be read and changed on the way"+tunnel)
	warnClear(&found, "ELSOM_SMS_URL", c.SMSURL, "numbers, codes and Kannel's password go to another machine in clear text"+tunnel)
	warnClear(&found, "ELSOM_SMS_RECEIPTS_URL", c.SMSReceiptsURL, "the gateway's password goes between machines in clear text with each receipt"+tunnel)
	if at, err := url.Parse(c.SMTPURL.Reveal()); err == nil && at.Query().Get("tls") == "optional" {
		warnClear(&found, "ELSOM_SMTP_URL", c.SMTPURL, "mail goes to another machine in clear text where its server offers no STARTTLS; leave out ?tls=optional")
	}
	return found
}

// warnListen warns about an address on all networks.
func warnListen(found *Problems, variable, address, consequence string) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return
	}
	ip, err := netip.ParseAddr(host)
	if host == "" || err == nil && ip.Unmap().IsUnspecified() {
		found.add(variable, "is %s, all networks: %s", quote(address), consequence)
	}
}

// warnClear warns about an address to which data goes in clear text.
func warnClear(found *Problems, variable string, address Secret, consequence string) {
	//mutant:drop TestWarnings
	if InClear(address.Reveal()) {
		found.add(variable, "%s", consequence)
	}
}

// InClear reports whether data for an http or smtp address is sent to another machine
// without TLS.
func InClear(address string) bool {
	at, err := url.Parse(address)
	return err == nil && (at.Scheme == "http" || at.Scheme == "smtp") && !loopback(at.Hostname())
}
