"""An MLflow server, read over HTTP."""
