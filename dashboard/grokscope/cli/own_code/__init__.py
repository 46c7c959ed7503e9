"""Training code of people, read as text: which framework it uses, and where our lines belong in it."""
