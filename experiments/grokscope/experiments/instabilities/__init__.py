"""Experiments on trainings that go wrong: cyclic spikes, rounding to 0, divergence, what was learned lost again."""
