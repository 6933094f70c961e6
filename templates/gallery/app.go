package gallery

import (
	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/templates/page"
)

func application() []State {
	return []State{
		{"app", "application", func(l i18n.Lang) templ.Component {
			return page.AppPage{Frame: visitor(l, "/app")}.Page()
		}},
		{"offline", "application", func(l i18n.Lang) templ.Component {
			return page.OfflinePage{Frame: visitor(l, "/offline")}.Page()
		}},
	}
}
