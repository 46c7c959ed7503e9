"""Text: numbers, dates and verdicts in words, names in order, and what comes from outside escaped."""
