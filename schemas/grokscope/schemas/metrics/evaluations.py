"""Which metrics are those of an evaluation: what the engine reads, and tells a run's usual pause."""

from grokscope.schemas.metrics.aliases import canonical

_QUANTITIES = frozenset(
    (
        "accuracy",
        "loss",
        "mrr",
        "information",
        "log_probability_q50",
        "acc",
        "acc_norm",
        "exact_match",
        "score",
    )
)


def is_evaluation(name: str) -> bool:
    """Return whether a metric of this name, canonical or as it was logged, is one of an evaluation.

    >>> [is_evaluation(name) for name in ("test/accuracy", "val_loss", "lambada/acc", "train/batch_loss")]
    [True, True, True, False]
    """
    return (canonical(name) or name).rpartition("/")[2].lower() in _QUANTITIES
