"""Which curve is what: guessed from names, and said otherwise by a person."""
