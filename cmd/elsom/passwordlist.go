package main

import (
	"fmt"
	"log/slog"
	"os"

	"elsom/internal/password"
)

// readPasswordList reads the passwords that customers may not set; nil without a path.
func readPasswordList(path string) (*password.Refused, error) {
	const variable = "ELSOM_PASSWORD_LIST"
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return nil, fmt.Errorf("%s: %w", variable, err)
	}
	defer file.Close()
	list, err := password.ReadRefused(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", variable, path, err)
	}
	slog.Info("password: read the list of refused passwords", "passwords", list.Len())
	return list, nil
}
