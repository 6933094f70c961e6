package catalog

// Book is a whole catalogue. Its lists stand in the order in which they are
// shown.
type Book struct {
	Categories []Category
	Services   []Service
	Billers    []Biller
	Levels     []Level
	Carriers   []Carrier
}
