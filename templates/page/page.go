package page

import "github.com/a-h/templ"

// Page is any page of the portal, ready to be rendered.
type Page interface{ Page() templ.Component }
