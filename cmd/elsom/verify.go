package main

import (
	"errors"
	"fmt"
	"os"

	"elsom/internal/checkpoint"
	"elsom/internal/config"
	"elsom/internal/receipt"
	"elsom/internal/translog"
)

type verifyCommand struct {
	Receipt string `arg:"" help:"The file of a receipt, receipt-CODE.json." type:"path"`
	Key     string `help:"The log's public key. Without it and --key-file, that of ELSOM_CHECKPOINT_KEY." xor:"key"`
	KeyFile string `help:"File with the log's public key." xor:"key" type:"path"`
}

// Help implements kong.HelpProvider.
func (verifyCommand) Help() string {
	return "Proves with the log's public key alone, without the database, that a payment was in the books at the receipt's checkpoint. " +
		"Exits with 0 if it was, 1 with the reason if that is not proved, 2 if the file or the key can't be read."
}

// Run verifies a receipt.
func (v verifyCommand) Run() error {
	keys, err := v.keys()
	if err != nil {
		return err
	}
	file, err := os.Open(v.Receipt)
	if err != nil {
		return err
	}
	defer file.Close()
	paid, err := receipt.Verify(file, keys)
	switch {
	case errors.Is(err, receipt.ErrUnreadable):
		return fmt.Errorf("%s: %w", v.Receipt, err)
	case err != nil:
		return refused("NOT PROVED: %w", err)
	}
	fmt.Printf("Payment %s to %s (%s %q), %s som, fee %s som, accepted %s: %s%s.\n", paid.Code, paid.Account, paid.Service, paid.Payee,
		paid.Amount, paid.Fee, localTime(paid.AcceptedAt), paid.State, endedAt(paid))
	paid.Checkpoint.At = bishkek(paid.Checkpoint.At)
	fmt.Printf("It was in the books at the checkpoint %s.\n", paid.Checkpoint)
	return nil
}

func endedAt(paid receipt.Payment) string {
	if paid.State == receipt.Accepted {
		return "; its end is not in this file"
	}
	return " " + localTime(paid.EndedAt)
}

func (v verifyCommand) keys() (keys *checkpoint.Keys, err error) {
	text := v.Key
	if v.KeyFile != "" {
		if text, err = translog.ReadCheckpointFile(v.KeyFile); err != nil {
			return nil, err
		}
	}
	if text == "" {
		keys, _, err = config.LoadCheckpoint()
	} else if keys, err = checkpoint.ParseKeys(text); err != nil {
		return nil, fmt.Errorf("the key %w", err)
	}
	if err == nil && keys == nil {
		err = errors.New("there is no public key: give --key or --key-file")
	}
	return keys, err
}
