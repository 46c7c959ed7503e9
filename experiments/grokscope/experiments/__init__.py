"""Canonical bridge experiments that really train, small enough for a laptop's CPU."""
