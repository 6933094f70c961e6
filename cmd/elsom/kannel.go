package main

import (
	_ "embed"
	"fmt"
)

//go:embed example/kannel.conf
var kannelConf string

//go:embed example/kannel-ussd.conf
var kannelUSSDConf string

type exampleKannel struct{}

// Run prints the file.
func (exampleKannel) Run() error {
	fmt.Print(kannelConf)
	return nil
}

type exampleKannelUSSD struct{}

// Run prints the file.
func (exampleKannelUSSD) Run() error {
	fmt.Print(kannelUSSDConf)
	return nil
}
