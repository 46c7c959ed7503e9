"""MLflow's tables in PostgreSQL, read directly and read-only."""
