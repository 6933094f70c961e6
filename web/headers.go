package web

import (
	"maps"
	"net/http"

	"github.com/labstack/echo/v4"
)

//mutant:replace -src 'self'; style => -src *; style TestHeadersOfEveryResponse
//mutant:replace ; frame-ancestors 'none' => TestHeadersOfEveryResponse
//mutant:replace object-src 'none'; => TestHeadersOfEveryResponse
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; " +
	"object-src 'none'; frame-ancestors 'none'"

// headers sets what every answer carries.
func headers(https bool) echo.MiddlewareFunc {
	all := http.Header{}
	all.Set("Content-Security-Policy", policy)
	//mutant:drop TestHeadersOfEveryResponse
	all.Set("X-Content-Type-Options", "nosniff")
	//mutant:drop TestHeadersOfEveryResponse
	all.Set("Referrer-Policy", "same-origin")
	all.Set("Cross-Origin-Opener-Policy", "same-origin")
	//mutant:replace "Cross-Origin-Resource-Policy", "same-origin" => "Access-Control-Allow-Origin", "*" TestHeadersOfEveryResponse
	all.Set("Cross-Origin-Resource-Policy", "same-origin")
	all.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
	//mutant:drop TestHeadersOfEveryResponse
	if https {
		//mutant:replace ; includeSubDomains => TestHeadersOfEveryResponse
		all.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			maps.Copy(c.Response().Header(), all) // the values are shared and never changed
			return next(c)
		}
	}
}

// noStore keeps a response out of every cache, including the browser history.
func noStore(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		//mutant:drop TestHeadersOfEveryResponse
		c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		return next(c)
	}
}
