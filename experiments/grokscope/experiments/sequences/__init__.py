"""Sequences: models that learn what to do from the context that they read."""
