package web

import "github.com/labstack/echo/v4"

//mutant:replace -src 'self'; style => -src *; style TestHeadersOfEveryResponse
//mutant:replace ; frame-ancestors 'none' => TestHeadersOfEveryResponse
//mutant:replace object-src 'none'; => TestHeadersOfEveryResponse
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; " +
	"object-src 'none'; frame-ancestors 'none'"

// headers sets what every answer carries.
func headers(https bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("Content-Security-Policy", policy)
			//mutant:drop TestHeadersOfEveryResponse
			h.Set("X-Content-Type-Options", "nosniff")
			//mutant:drop TestHeadersOfEveryResponse
			h.Set("Referrer-Policy", "same-origin")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			//mutant:replace "Cross-Origin-Resource-Policy", "same-origin" => "Access-Control-Allow-Origin", "*" TestHeadersOfEveryResponse
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
			h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
			//mutant:drop TestHeadersOfEveryResponse
			if https {
				//mutant:replace ; includeSubDomains => TestHeadersOfEveryResponse
				h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
			}
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
