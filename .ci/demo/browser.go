package main

import (
	"context"
	"fmt"
	"net/http"

	"elsom/internal/testkit/webclient"
)

// browser is a client of the portal whose pages must be answered with 200.
type browser struct{ *webclient.Client }

func newBrowser(base string) (*browser, error) {
	client, err := webclient.New(base)
	return &browser{client}, err
}

// all runs one step after another until one fails.
func (b *browser) all(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (b *browser) open(ctx context.Context, path string) error {
	return b.loaded(b.Request(ctx, http.MethodGet, path, nil))
}

func (b *browser) loaded(err error) error {
	if err == nil && b.Status != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", b.Path(), b.Status, b.Text())
	}
	return err
}

func (b *browser) fill(field, text string) error {
	if b.Field(field).Length() == 0 {
		return fmt.Errorf("%s has no field %s: %s", b.Path(), field, b.Text())
	}
	b.Type(field, text)
	return nil
}

// press activates the control whose name begins with label.
func (b *browser) press(ctx context.Context, label string) error {
	control := b.Control(label)
	if control.Length() == 0 {
		return fmt.Errorf("%s has no %q: %s", b.Path(), label, b.Text())
	}
	return b.loaded(b.Activate(ctx, control))
}

// attribute returns an attribute of the first element that has it; empty if none
// has.
func (b *browser) attribute(name string) string {
	return b.Document.Find("["+name+"]").First().AttrOr(name, "")
}

// shows returns an error unless the page has the attribute with that value.
func (b *browser) shows(attribute, want string) error {
	if got := b.attribute(attribute); got != want {
		return fmt.Errorf("%s shows %s=%q, not %q: %s", b.Path(), attribute, got, want, b.Text())
	}
	return nil
}
