"""The cells of a sweep: given, on a grid, drawn at random, arms of an experiment, or further ones."""
