package static

import _ "embed"

// Worker is the source of the service worker. It is no file of its own: who
// serves it writes a line before it, `const shell = {…};`, that says what the
// application keeps for a time without a connection.
//
//go:embed worker.js
var Worker string
