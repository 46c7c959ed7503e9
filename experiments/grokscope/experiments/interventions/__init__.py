"""Experiments on what brings generalization forward, puts it off or keeps it away."""
