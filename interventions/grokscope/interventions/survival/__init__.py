"""Time to target under censoring: Kaplan–Meier and what is read from it, tests, models, competing ends."""
