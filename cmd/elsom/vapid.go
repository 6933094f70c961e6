package main

import (
	"fmt"
	"os"

	"elsom/internal/notify/push/webpush"
)

type vapidCommand struct{}

// Run generates the key that signs Web Push messages.
func (vapidCommand) Run() error {
	key, err := webpush.NewKey()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(os.Stdout, key)
	return err
}
