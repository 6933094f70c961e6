package static

import _ "embed"

// Worker is the source of the service worker. The handler that serves it puts a
// line before it, `const shell = {…};`, with the files and pages to cache for use
// without a connection.
//
//go:embed worker.js
var Worker string
