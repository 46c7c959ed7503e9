"""Splits as people hold them: their batches, what a model takes of them, and how its outputs are scored."""
