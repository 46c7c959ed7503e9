"""Readers of other tools' logs, one file a format; each gives runs with their points."""

from collections.abc import Sequence

from grokscope.importing.formats import LogFormat, SourceKind
from grokscope.importing.readers import (
    allennlp_metrics,
    catboost_files,
    dvclive_files,
    lm_eval,
    mlflow_files,
    monitors,
    sacred_runs,
    tables,
    tensorboard_events,
    text,
    trackio_store,
    trainer_state,
    wandb_files,
)

FORMATS: Sequence[LogFormat] = (
    catboost_files.FORMAT,
    tensorboard_events.FORMAT,
    wandb_files.FORMAT,
    trainer_state.FORMAT,
    trackio_store.FORMAT,
    mlflow_files.FORMAT,
    sacred_runs.FORMAT,
    dvclive_files.FORMAT,
    lm_eval.FORMAT,
    allennlp_metrics.FORMAT,
    monitors.FORMAT,
    tables.FORMAT,
    text.FORMAT,
)
"""Every format, in the order in which a file is tried: the first that recognises it reads it."""


def format_of(kind: SourceKind) -> LogFormat:
    """Return the format of a kind.

    >>> format_of(SourceKind.WANDB).needs
    'wandb'
    """
    return next(one for one in FORMATS if one.kind is kind)
