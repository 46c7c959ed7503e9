"""Experiments on trainings that go wrong: spikes, losses that round to 0, divergence, and collapse."""
