"""Readers of other tools' logs, one file a format; each gives runs with their points."""
