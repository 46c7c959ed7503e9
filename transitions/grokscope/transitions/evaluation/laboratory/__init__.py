"""Laboratories: families of runs of any kind, drawn at random with what is true of them."""
