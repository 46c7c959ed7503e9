"""Sweeps: many runs of one training, side by side, that go on where they stopped."""
