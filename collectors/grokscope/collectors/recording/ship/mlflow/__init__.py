"""MLflow as the place that takes runs: the only part of the collectors that imports it."""
