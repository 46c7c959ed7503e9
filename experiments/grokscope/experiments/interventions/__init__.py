"""Experiments on one task and one network: what brings generalization forward, puts it off or keeps it away."""
