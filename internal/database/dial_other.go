//go:build !linux

package database

import (
	"net"
	"time"
)

// dialer returns a dialer whose connections fail when the server's machine is gone.
func dialer() *net.Dialer {
	return &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 4},
	}
}
