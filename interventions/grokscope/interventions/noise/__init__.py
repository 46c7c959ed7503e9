"""Is a difference noise: the floor of seeds, repeats that are no seeds, tests that may be looked at often."""
