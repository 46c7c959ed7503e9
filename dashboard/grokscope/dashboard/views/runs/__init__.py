"""The page of all runs of an experiment."""
