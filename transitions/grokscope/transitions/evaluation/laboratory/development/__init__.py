"""The half of the laboratory that the engine is developed on: it may be looked at."""
