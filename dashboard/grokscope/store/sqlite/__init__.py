"""Embedded MLflow on SQLite, read directly: no ORM, no lock beyond one statement."""
