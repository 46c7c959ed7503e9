"""The workbench beside the pages of MLflow and Trackio, on the same runs in the same browser."""
