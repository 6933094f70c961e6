package checkpoint

// ParseText parses the text of a checkpoint and panics if its formatted text is parsed as
// another checkpoint.
func ParseText(text string) (Checkpoint, error) {
	c, err := parseCheckpoint(text)
	if err == nil {
		if again, err := parseCheckpoint(c.text()); err != nil || again.Tree != c.Tree || !again.At.Equal(c.At) {
			panic("a checkpoint changes when it is formatted")
		}
	}
	return c, err
}
