"""Delayed generalization of one smooth rise: other metrics, other levels, other logs."""

import numpy as np

from grokscope.transitions.evaluation.laboratory.family import Family, LabRun
from grokscope.transitions.evaluation.laboratory.unseen.waits import Wait, draw_grokking


def _family(name: str, says: str, wait: Wait, *, is_messy: bool = False) -> Family:
    def draw(rng: np.random.Generator) -> LabRun:
        return draw_grokking(rng, wait, is_messy=is_messy)

    return Family(name=name, says=says, draw=draw)


FAMILIES = (
    _family(
        "grokking-algorithmic",
        "Algorithmic task, accuracy as a share from chance to nearly all, evaluated often.",
        Wait(kinds=("accuracy",), chance=(0.0, 0.11), count=(80, 2000)),
    ),
    _family(
        "grokking-error-or-per-cent",
        "The same told as an error rate or in per cent.",
        Wait(kinds=("error", "error_per_cent", "per_cent")),
    ),
    _family(
        "grokking-train-ceiling",
        "Dropout, augmentation or label noise keep the training accuracy well below 1 for good.",
        Wait(kinds=("accuracy", "per_cent"), chance=(0.0, 0.2), train_top=(0.62, 0.94), test_top=(0.6, 0.95)),
    ),
    _family(
        "grokking-binary-partial",
        "Binary task: held-out accuracy waits at one half and rises to about two thirds.",
        Wait(kinds=("accuracy", "error"), chance=(0.49, 0.51), test_top=(0.62, 0.78), early=(0.0, 0.02)),
    ),
    _family(
        "grokking-high-plateau",
        "A good part is generalized with the fit, as good a part long after it.",
        Wait(kinds=("accuracy", "per_cent", "f1"), chance=(0.0, 0.25), early=(0.35, 0.6), ratio=(8.0, 60.0)),
    ),
    _family(
        "grokking-partial",
        "The late rise ends far below the training curve, on many classes.",
        Wait(kinds=("accuracy", "exact_match"), chance=(0.0, 0.1), test_top=(0.3, 0.7)),
    ),
    _family(
        "grokking-creep",
        "The late rise is a creep over one to three decades of steps.",
        Wait(ratio=(40.0, 300.0), width=(0.5, 0.9), forms=("logistic", "ramp"), after=(1.2, 2.0)),
    ),
    _family(
        "grokking-coarse",
        "Ten to twenty-five evaluations in all.",
        Wait(
            kinds=("accuracy", "exact_match", "f1"),
            ratio=(15.0, 150.0),
            width=(0.05, 0.2),
            count=(10, 25),
            habits=("log",),
            after=(2.0, 8.0),
            loudest=0.6,
        ),
    ),
    _family(
        "grokking-linear-time",
        "Evaluated every so many steps: the fit lies in the first few evaluations.",
        Wait(
            kinds=("accuracy", "per_cent", "error"),
            habits=("linear",),
            is_linear=True,
            width=(0.03, 0.15),
            ratio=(4.0, 40.0),
            count=(100, 1500),
        ),
    ),
    _family(
        "grokking-dense",
        "Thousands of evaluations.",
        Wait(habits=("linear", "mixed"), ratio=(5.0, 30.0), count=(2000, 5000)),
    ),
    _family(
        "grokking-regression",
        "Explained variance or a margin, from zero or below.",
        Wait(kinds=("fit", "margin"), chance=(-0.2, 0.02), test_top=(0.6, 0.99)),
    ),
    _family(
        "grokking-ranking",
        "Reciprocal rank, F1, exact match or success rate of a structured task.",
        Wait(kinds=("ranking", "f1", "exact_match", "success", "area"), test_top=(0.75, 1.0)),
    ),
    _family(
        "grokking-below-chance",
        "Held-out accuracy waits below where guessing would be.",
        Wait(kinds=("accuracy", "error"), chance=(0.3, 0.45), early=(-0.15, -0.05), ratio=(6.0, 60.0)),
    ),
    _family(
        "grokking-messy-log",
        "Evaluations are missing, a restart wrote a stretch twice, some values are broken.",
        Wait(kinds=("accuracy", "per_cent"), count=(150, 800)),
        is_messy=True,
    ),
    _family(
        "grokking-long-after",
        "The log goes on for decades after everything is learned.",
        Wait(after=(20.0, 300.0), habits=("log",)),
    ),
    _family(
        "grokking-short-after",
        "The log stops when the rise is just done.",
        Wait(after=(1.02, 1.1), width=(0.06, 0.2), count=(80, 600)),
    ),
)
"""Families of one late rise."""
