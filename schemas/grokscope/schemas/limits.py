"""What MLflow takes at most, as its REST API and the columns of its tables have it."""

KEY_LENGTH = 250
"""Characters of the name of a metric, a param or a tag."""

PARAM_LENGTH = 6000
"""Characters of a param's value."""

TAG_LENGTH = 8000
"""Characters of a tag's value; 5000 before MLflow 2.17."""

EXPERIMENT_TAG_LENGTH = 5000
"""Characters of the value of an experiment's tag, as every MLflow takes it; newer ones take more."""

RUN_NAME_LENGTH = 250
"""Characters of a run's name."""

EXPERIMENT_LENGTH = 500
"""Characters of an experiment's name, as MLflow's checks allow it."""

EXPERIMENT_COLUMN_LENGTH = 256
"""Characters of an experiment's name that every database keeps: PostgreSQL refuses a longer one."""

METRICS_A_CALL = 1000
"""Points in one ``log_batch``."""

LABELS_A_CALL = 100
"""Params and tags in one ``log_batch``."""
