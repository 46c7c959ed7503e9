"""Measures: each topic's file holds the functions, the records of the keys and the instruments."""
