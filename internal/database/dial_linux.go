package database

import (
	"net"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of Linux.
const tcpUserTimeout = 18

// dialer returns a dialer whose connections fail when the server's machine is
// gone. A COMMIT is never cancelled (see postgresTx), so a slow server is waited
// for; a server that acknowledges no packet for 30 seconds is not.
func dialer() *net.Dialer {
	const timeout = 30 * time.Second
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 4},
		Control: func(network, _ string, c syscall.RawConn) error {
			if network == "unix" {
				return nil
			}
			return c.Control(func(fd uintptr) {
				// On an error keepalive still applies.
				_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(timeout.Milliseconds()))
			})
		},
	}
}
