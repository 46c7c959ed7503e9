"""Frames of runs in a table: the runs, their columns, what each is about, and rows of groups."""
