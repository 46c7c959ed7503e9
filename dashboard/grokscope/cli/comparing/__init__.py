"""Comparisons at the terminal: what is compared, by which rule, and how it is printed."""
