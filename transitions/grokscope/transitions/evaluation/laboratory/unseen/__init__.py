"""Families written without knowledge of the engine, which is measured on them and never developed."""
