"""Which metrics are those of an evaluation: what the engine reads, and tells a run's usual pause."""

from grokscope.schemas.metrics.aliases import canonical
from grokscope.schemas.metrics.measure import CURVE
from grokscope.schemas.metrics.scores import score_of
from grokscope.schemas.metrics.table import METRICS

_OURS = frozenset(
    {"accuracy", "loss", "exact_match", "r2", "auc", "mrr", "information", "log_probability_q50"}
)
"""Of the quantities that grokscope measures of a split, those that tell what a run has learned."""


def is_evaluation(name: str) -> bool:
    """Return whether a metric of this name, canonical or as it was logged, is one of an evaluation.

    >>> [is_evaluation(name) for name in ("test/accuracy", "val_loss", "lambada/acc", "ind_acc")]
    [True, True, True, True]
    >>> [is_evaluation(name) for name in ("train/batch_loss", "test/margin", "weights/norm", "lr")]
    [False, False, False, False]
    """
    score = score_of(canonical(name) or name)
    return score is not None and ((CURVE, score.quantity) not in METRICS or score.quantity in _OURS)
