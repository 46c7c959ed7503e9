"""What a training has seen: examples and tokens, and how many of the examples were distinct."""
