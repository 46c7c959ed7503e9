"""Curves without a name: single draws, shapes, grids and noise."""
