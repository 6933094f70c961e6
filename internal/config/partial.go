package config

import (
	"elsom/internal/checkpoint"
	"elsom/internal/signature"
)

// ParseSecretKey returns the server's secret key of an environment; empty without an
// error if it is not set. The error, if any, is Problems.
func ParseSecretKey(environment map[string]string) (Secret, error) {
	var problems Problems
	in := read(environment, []string{"ELSOM_SECRET_KEY"}, &problems)
	secret := Secret(in.SecretKey)
	if secret == "" && Mode(in.Mode) == Development {
		secret = developmentSecret
	}
	if secret.Set() {
		checkSecret("ELSOM_SECRET_KEY", secret, &problems)
	}
	if len(problems) > 0 {
		return "", problems
	}
	return secret, nil
}

// ParseMode returns the mode of an environment, which Parse may still refuse.
func ParseMode(environment map[string]string) Mode {
	if mode := environment["ELSOM_MODE"]; mode != "" {
		return Mode(mode)
	}
	return Production
}

// ParsePreviousSecretKey returns the secret key that the server's one replaces; empty
// if none is set.
func ParsePreviousSecretKey(environment map[string]string) Secret {
	var problems Problems
	in := read(environment, []string{"ELSOM_SECRET_KEY_PREVIOUS"}, &problems)
	if len(problems) > 0 {
		return ""
	}
	return Secret(in.SecretKeyPrevious)
}

// ParseBooks returns the settings of the books' keys alone, for commands that run
// without the server's other secrets; no keys if none are set.
func ParseBooks(environment map[string]string) (keys *signature.Keys, enforce bool, err error) {
	var problems Problems
	files := []string{booksKey}
	if environment["ELSOM_MODE"] == string(Development) {
		files = append(files, "ELSOM_SECRET_KEY")
	}
	in := read(environment, files, &problems)
	c := &Config{Mode: Mode(in.Mode), SecretKey: Secret(in.SecretKey), BooksKey: Secret(in.BooksKey), BooksEnforce: in.BooksEnforce == "on"}
	//mutant:drop TestParseBooks
	if c.SecretKey == "" && c.Development() {
		c.SecretKey = developmentSecret
	}
	checkBooks(c, in, &problems)
	if len(problems) > 0 {
		return nil, false, problems
	}
	return c.BooksKeys(), c.BooksEnforce, nil
}

func choosesBooksKey(environment map[string]string) bool {
	set := func(name string) bool { return environment[name] != "" || environment[name+fileSuffix] != "" }
	return set(booksKey) || environment["ELSOM_MODE"] == string(Development) && set("ELSOM_SECRET_KEY")
}

// ParseCheckpoint returns the settings of the log's checkpoints alone.
func ParseCheckpoint(environment map[string]string) (keys *checkpoint.Keys, file string, err error) {
	var problems Problems
	files := []string{checkpointKey}
	if environment["ELSOM_MODE"] == string(Development) {
		files = append(files, "ELSOM_SECRET_KEY", "ELSOM_DATABASE_URL")
	}
	in := read(environment, files, &problems)
	c := &Config{Mode: Mode(in.Mode), SecretKey: Secret(in.SecretKey), CheckpointKey: Secret(in.CheckpointKey), CheckpointFile: in.CheckpointFile}
	if c.Development() {
		if c.SecretKey == "" {
			c.SecretKey = developmentSecret
		}
		if c.DatabaseURL = Secret(in.DatabaseURL); c.DatabaseURL == "" {
			c.DatabaseURL = developmentDatabase
		}
	}
	checkCheckpoint(c, &problems)
	if len(problems) > 0 {
		return nil, "", problems
	}
	return c.CheckpointKeys(), c.CheckpointFile, nil
}

// ParseWithoutPepper is Parse for commands that check no PIN: the result has no
// pepper, and problems of ELSOM_PIN_PEPPER are not reported.
func ParseWithoutPepper(environment map[string]string) (*Config, error) {
	return parse(environment, true)
}

// ParseVAPIDKey returns the key of Web Push of an environment; empty if it is not set
// or malformed.
func ParseVAPIDKey(environment map[string]string) Secret {
	var problems Problems
	key := Secret(read(environment, []string{"ELSOM_VAPID_KEY"}, &problems).VAPIDKey)
	if checkVAPID(key, &problems); len(problems) > 0 {
		return ""
	}
	return key
}
