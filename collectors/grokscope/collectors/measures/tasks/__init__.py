"""Measures that know the task: what the mechanism being learned looks like."""
