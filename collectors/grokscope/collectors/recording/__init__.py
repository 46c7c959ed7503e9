"""What a training loop logs, on its way to the local disk and from there into MLflow."""
