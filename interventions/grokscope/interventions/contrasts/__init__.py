"""Two groups or many compared: speed-ups, improvement, corrections for many tests, tuning budgets."""
