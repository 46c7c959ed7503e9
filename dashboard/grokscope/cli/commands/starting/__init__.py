"""Commands to begin with: the demo, and the first lines in a loop of one's own."""
