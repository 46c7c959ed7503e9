"""Should this run be stopped: overfitting told from a generalization that may still come."""
