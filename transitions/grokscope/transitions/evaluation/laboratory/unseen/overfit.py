"""Ordinary learning whose held-out curve worsens after its best while training goes on."""

import numpy as np

from grokscope.schemas import Pattern
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun, Truth
from grokscope.transitions.evaluation.laboratory.unseen.curves.draws import between, decades, pick, whole
from grokscope.transitions.evaluation.laboratory.unseen.curves.grids import Steps, grid, near_best
from grokscope.transitions.evaluation.laboratory.unseen.curves.noise import spread
from grokscope.transitions.evaluation.laboratory.unseen.curves.shapes import Floats, settling
from grokscope.transitions.evaluation.laboratory.unseen.logs.entries import Curve
from grokscope.transitions.evaluation.laboratory.unseen.logs.pairs import draw_watch, lab_run, written
from grokscope.transitions.evaluation.laboratory.unseen.logs.scores import draw_loss, draw_score

_NEAR = 0.12
"""The best step lies where the curve is within this share of its worsening from its best."""


def _overfit(interval: tuple[float, float], *accept: Pattern, pattern: Pattern) -> Truth:
    events = (("overfitting", interval),)
    return Truth(pattern=pattern, accept=frozenset(accept), events=events, is_negative=True)


def _score(rng: np.random.Generator) -> LabRun:
    """The score itself peaks early and loses a tenth to a quarter of its gain."""
    score = draw_score(rng, "accuracy", "per_cent", "f1", "fit", "error", "ranking")
    steps = grid("linear", count := whole(rng, 25, 300), decades(rng, count, 1e5))
    end, start = float(steps[-1]), pick(rng, (0.0, 0.05, 0.1))
    top, lost = between(rng, 0.6, 0.85), between(rng, 0.12, 0.25)
    scale = end * between(rng, 0.03, 0.07)

    def test(at: Steps) -> Floats:
        worse = np.clip((at / end - 0.15) / 0.85, 0.0, 1.0) ** 1.2
        return start + (top - start) * (settling(at, scale) - lost * worse)

    def train(at: Steps) -> Floats:
        return start + (0.99 - start) * (0.7 * settling(at, scale) + 0.3 * settling(at, end * 0.3))

    clean = test(steps)
    watch = draw_watch(rng, score, steps, lost * top, loudest=0.9)
    best = near_best(steps, clean, _NEAR * float(clean.max() - clean[-1]))
    return lab_run(rng, written(rng, watch, train, test), _overfit(best, pattern=Pattern.COMPREHENSION))


def _losses(rng: np.random.Generator, steps: Steps) -> tuple[list[Curve], tuple[float, float]]:
    """Return a training loss that goes to nothing, a held-out loss like a U, and where its best lies."""
    end, first = float(steps[-1]), between(rng, 0.7, 6.0)
    kept, worse = between(rng, 0.35, 0.7), between(rng, 0.35, 1.0)
    scale = end * between(rng, 0.03, 0.08)
    fast = 0.7 * settling(steps, scale) + 0.3 * settling(steps, end * 0.25)
    late = np.clip((steps / end - 0.12) / 0.88, 0.0, 1.0)
    train = first * (1.0 - 0.99 * fast)
    test = first * (1.0 - (1.0 - kept) * settling(steps, scale) + worse * kept * late)
    loss, loud = draw_loss(rng, "loss"), spread(0.01 * first, memory=pick(rng, (0.0, 0.6)))
    best = near_best(steps, -test, _NEAR * float(test[-1] - test.min()))
    curves = [
        Curve(name=loss.train, steps=steps, values=np.abs(loud(rng, train))),
        Curve(name=loss.test, steps=steps, values=loud(rng, test)),
    ]
    return curves, best


def _loss_beside_accuracy(rng: np.random.Generator) -> LabRun:
    """Accuracy is flat at its top, the held-out loss turns and worsens: every second notebook."""
    steps = grid("linear", count := whole(rng, 15, 150), decades(rng, count, 1e5))
    curves, best = _losses(rng, steps)
    score = draw_score(rng, "accuracy", "per_cent")
    scale, top = float(steps[-1]) * between(rng, 0.06, 0.12), between(rng, 0.65, 0.93)
    curves += written(
        rng,
        draw_watch(rng, score, steps, top - 0.1),
        lambda at: 0.1 + 0.9 * settling(at, scale * 1.3),
        lambda at: 0.1 + (top - 0.1) * settling(at, scale),
    )
    return lab_run(rng, curves, _overfit(best, pattern=Pattern.COMPREHENSION))


def _loss_only(rng: np.random.Generator) -> LabRun:
    steps = grid("linear", count := whole(rng, 20, 400), decades(rng, count, 1e5))
    curves, best = _losses(rng, steps)
    return lab_run(rng, curves, _overfit(best, Pattern.COMPREHENSION, pattern=Pattern.OTHER))


def _wrong_labels(rng: np.random.Generator) -> LabRun:
    """Wrong labels: the held-out score lies above train at first, and falls when the wrong ones are fit."""
    score = draw_score(rng, "accuracy", "per_cent", "error")
    wrong = between(rng, 0.2, 0.4)
    steps = grid("linear", count := whole(rng, 60, 400), decades(rng, count, 1e5))
    end = float(steps[-1])
    scale, top = end * between(rng, 0.02, 0.05), between(rng, 0.8, 0.95)
    lost = (top - 0.1) * between(rng, 0.5, 0.9) * wrong

    def fit(at: Steps) -> Floats:
        return settling(at, end * 0.35, 2.5)

    def train(at: Steps) -> Floats:
        return 0.1 + (0.9 - wrong) * settling(at, scale) + (wrong - 0.01) * fit(at)

    def test(at: Steps) -> Floats:
        return 0.1 + (top - 0.1) * settling(at, scale) - lost * fit(at)

    clean = test(steps)
    best = near_best(steps, clean, _NEAR * float(clean.max() - clean[-1]))
    watch = draw_watch(rng, score, steps, lost, loudest=0.8)
    truth = _overfit(best, Pattern.OTHER, pattern=Pattern.COMPREHENSION)
    return lab_run(rng, written(rng, watch, train, test), truth)


FAMILIES = (
    Family(name="overfit-score", says="The held-out score peaks and falls.", draw=_score),
    Family(name="overfit-loss-and-accuracy", says="Only the loss turns.", draw=_loss_beside_accuracy),
    Family(name="overfit-loss-only", says="Losses only; the held-out one turns.", draw=_loss_only),
    Family(name="overfit-wrong-labels", says="Label noise: above train, then below.", draw=_wrong_labels),
)
"""Families of learning with a later worsening."""
