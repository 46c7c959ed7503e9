"""The page of runs in training."""
