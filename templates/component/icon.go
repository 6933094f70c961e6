package component

import (
	"context"
	"io"

	"github.com/a-h/templ"
)

// Icon renders an icon by its lucide name; nothing for an unknown name. Screen
// readers skip it, since text is beside it.
func Icon(name string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		inner, ok := icons[name]
		if !ok {
			return nil
		}
		_, err := io.WriteString(w, `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">`+inner+`</svg>`)
		return err
	})
}
