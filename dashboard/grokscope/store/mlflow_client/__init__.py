"""MLflow's own client: slow, always right, and the only way to write."""
