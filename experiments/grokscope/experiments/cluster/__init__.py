"""A Ray cluster as the place where work is done: jobs of sweeps, and tasks. Only here is ray imported."""
