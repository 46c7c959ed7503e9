"""Families written without knowledge of the engine: it is never developed on them, only measured at the end."""
