"""Runs as commands follow them: those that have ended, those that are watched, and those that a store has."""
