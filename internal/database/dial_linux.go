package database

import (
	"net"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of Linux.
const tcpUserTimeout = 18

// dialer makes connections that end when their machine is gone. Nothing cancels
// a COMMIT (see postgresTx), so a server that is merely slow is waited for; one
// that acknowledges no packet for half a minute is not.
func dialer() *net.Dialer {
	const patience = 30 * time.Second
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 4},
		Control: func(network, _ string, c syscall.RawConn) error {
			if network == "unix" {
				return nil
			}
			return c.Control(func(fd uintptr) {
				// Where the kernel knows no such option, keepalive has to do.
				_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(patience.Milliseconds()))
			})
		},
	}
}
