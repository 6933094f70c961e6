package catalog

// Book is a whole catalog. Its lists stand in the order in which they are
// shown.
type Book struct {
	// Version is the one in force, or the one that a file was exported as; 0
	// where a file names none.
	Version    int64
	Categories []Category
	Services   []Service
	Billers    []Biller
	Levels     []Level
	Carriers   []Carrier
}
