"""The feeds of a store's experiments, and what several of them say together."""
