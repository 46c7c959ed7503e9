"""Families that generalize late by another score than accuracy: upwards or downwards, bounded or not."""

from collections.abc import Callable

import numpy as np

from grokscope.schemas import Pattern
from grokscope.transitions.evaluation.laboratory.development.parts.scores import (
    BITS,
    ERROR,
    ERROR_PER_CENT,
    EXACT_MATCH,
    F1,
    MARGIN,
    MRR,
    PERPLEXITIES,
    R2,
    SUCCESS,
    Score,
    scaled,
)
from grokscope.transitions.evaluation.laboratory.development.parts.settings import (
    Ranges,
    grokked,
    lab_run,
    setting,
)
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun

Rng = np.random.Generator


def _late(
    *scores: Score, chances: tuple[float, ...] = (0.0, 0.01, 0.1), accept: tuple[Pattern, ...] = ()
) -> Callable[[Rng], LabRun]:
    def draw(rng: Rng) -> LabRun:
        run = setting(rng, Ranges(chances=chances, most_noise=0.02))
        score = scores[int(rng.integers(len(scores)))]
        test = run.test(plateau=run.chance, top=rng.uniform(0.93, 1.0))
        return lab_run(run.measured(score, run.train(), test), grokked(run.rise, accept=accept))

    return draw


def _falling(
    names: tuple[tuple[str, str], ...], start: tuple[float, float], best: float
) -> Callable[[Rng], LabRun]:
    def draw(rng: Rng) -> LabRun:
        run = setting(rng, Ranges(chances=(0.08,), most_noise=0.015))
        score = Score(names=names, express=scaled(rng.uniform(*start), best))
        test = run.test(plateau=run.chance, top=rng.uniform(0.9, 0.99))
        truth = grokked(run.rise, accept=(Pattern.OTHER,))
        return lab_run(run.measured(score, run.train(), test), truth)

    return draw


def _error_in_part(rng: Rng) -> LabRun:
    """Error rate that halves late: a good part of the possible, short of zero."""
    run = setting(rng, Ranges(chances=(0.1, 0.2), most_noise=0.012))
    test = run.test(plateau=rng.uniform(0.3, 0.45), top=rng.uniform(0.7, 0.85))
    return lab_run(run.measured(ERROR, run.train(), test), grokked(run.rise))


FAMILIES = tuple(
    Family(name=name, says=says, draw=draw)
    for name, says, draw in (
        ("late-error", "Error rate as a share or in per cent falls late.", _late(ERROR, ERROR_PER_CENT)),
        ("late-error-in-part", "Error rate falls late, by about half.", _error_in_part),
        ("late-f1", "F1 or exact match rises late.", _late(F1, EXACT_MATCH)),
        ("late-success", "Success rate on unseen levels, or MRR, rises late.", _late(SUCCESS, MRR)),
        ("late-r2", "R² of a regression rises late from about -.2.", _late(R2, chances=(0.08, 0.17))),
        (
            "late-margin",
            "A margin, an unbounded score, rises late.",
            _late(MARGIN, chances=(0.1,), accept=(Pattern.OTHER,)),
        ),
        ("late-perplexity", "Held-out perplexity falls late.", _falling(PERPLEXITIES, (6.0, 20.0), 1.0)),
        ("late-bits", "Held-out bits fall late.", _falling(BITS, (1.5, 8.0), 0.02)),
    )
)
"""Late generalization by other scores."""
