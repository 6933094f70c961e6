package catalog

// Contents is a whole catalog. Its lists are in display order.
type Contents struct {
	// Version is the current one, or the one that a file was exported as; 0 if a
	// file names none.
	Version    int64
	Categories []Category
	Services   []Service
	Billers    []Biller
	Levels     []Level
	// DefaultLevel is the code of the level of a newly registered customer.
	DefaultLevel string
	Carriers     []Carrier
}
