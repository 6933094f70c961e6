package checkpoint

// ParseText parses the text of a checkpoint. What it is parsed from is what it is
// formatted to, but for unknown lines.
func ParseText(text string) (Checkpoint, error) {
	c, err := parseCheckpoint(text)
	if err == nil {
		if again, err := parseCheckpoint(c.text()); err != nil || again.Tree != c.Tree || !again.At.Equal(c.At) {
			panic("a checkpoint changes when it is formatted")
		}
	}
	return c, err
}
