package portal

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/templates/layout"
	"elsom/templates/page"
)

// App shows how to install the application.
func (p *Portal) App(c echo.Context) error {
	return render(c, http.StatusOK, page.AppPage{Frame: p.frame(c)})
}

// Offline is the page that the installed application shows without a connection.
func (p *Portal) Offline(c echo.Context) error {
	return render(c, http.StatusOK, page.OfflinePage{Frame: p.frame(c)})
}

// Manifest serves the web app manifest. Browsers request it without cookies, so its
// address contains the language.
func (p *Portal) Manifest(c echo.Context) error {
	code, _ := strings.CutSuffix(c.Param("manifest"), ".webmanifest")
	lang, ok := i18n.Parse(code)
	if !ok || c.Request().URL.Path != layout.Manifest(lang) {
		return fault.New(fault.NotFound, "portal.manifest", "")
	}
	dostek := ""
	if service, err := p.services.Catalog.Service(ctx(c), "dostek"); err == nil {
		dostek = payHref(service.Code)
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-cache")
	c.Response().Header().Set(echo.HeaderContentType, "application/manifest+json")
	return json.NewEncoder(c.Response()).Encode(page.NewManifest(lang, dostek))
}

// Worker serves the service worker for the language in ?lang=. Browsers check for a
// new version at each visit.
func (p *Portal) Worker(c echo.Context) error {
	lang, _ := i18n.Parse(c.QueryParam("lang"))
	source, ok := p.workers.Load(lang)
	if !ok {
		made, err := page.Worker(ctx(c), lang, p.services.Development)
		if err != nil {
			return fault.Wrap("portal.worker", err)
		}
		source, _ = p.workers.LoadOrStore(lang, made)
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-cache")
	return c.Blob(http.StatusOK, "text/javascript; charset=utf-8", source.([]byte))
}
