"""Stores that are asked over a network or through a library: one policy for when to ask again."""
