"""Runs that log losses only."""

import numpy as np

from grokscope.schemas import Pattern
from grokscope.transitions.evaluation.laboratory.family import Family, LabRun, Truth
from grokscope.transitions.evaluation.laboratory.unseen.curves.draws import (
    between,
    decades,
    happens,
    pick,
    whole,
)
from grokscope.transitions.evaluation.laboratory.unseen.curves.grids import Steps, bracket, grid, near_best
from grokscope.transitions.evaluation.laboratory.unseen.curves.noise import Noise, spread
from grokscope.transitions.evaluation.laboratory.unseen.curves.shapes import (
    Floats,
    Rise,
    hollow,
    learning,
    settling,
)
from grokscope.transitions.evaluation.laboratory.unseen.logs.entries import Curve
from grokscope.transitions.evaluation.laboratory.unseen.logs.pairs import lab_run
from grokscope.transitions.evaluation.laboratory.unseen.logs.scores import draw_loss

_PRETRAINED = Truth(pattern=Pattern.OTHER, accept=frozenset({Pattern.COMPREHENSION}), is_negative=True)
_NEAR = 0.15


def _told(
    rng: np.random.Generator,
    steps: tuple[Steps, Steps],
    nats: tuple[Floats, Floats],
    loud: tuple[Noise, Noise],
    *kinds: str,
) -> list[Curve]:
    """Return a training and a held-out loss, each at its steps."""
    loss = draw_loss(rng, *kinds)
    return [
        Curve(name=name, steps=at, values=loss.tell(np.maximum(noise(rng, values), 1e-7)))
        for name, at, values, noise in zip((loss.train, loss.test), steps, nats, loud, strict=True)
    ]


def _pretraining(rng: np.random.Generator) -> LabRun:
    """A power law, the training loss at every few steps, with or without spikes."""
    end = decades(rng, 1e3, 1e6)
    often, seldom = grid("linear", whole(rng, 100, 3000), end), grid("linear", whole(rng, 10, 200), end)
    first, best = between(rng, 4.0, 11.0), between(rng, 1.2, 3.0)
    scale, power = end * decades(rng, 1e-3, 1e-2), between(rng, 0.3, 0.8)

    def nats(at: Steps) -> Floats:
        return first - (first - best) * learning(at, scale, power)

    train = nats(often)
    if happens(rng, 0.4):
        for at in rng.uniform(0.2, 0.9, whole(rng, 1, 4)) * end:
            train = train + between(rng, 0.5, 3.0) * hollow(often, float(at), float(at) + 0.006 * end)
    loud = (spread(between(rng, 0.01, 0.06)), spread(between(rng, 0.0, 0.01)))
    gap = between(rng, 0.0, 0.15)
    return lab_run(
        rng, _told(rng, (often, seldom), (train, nats(seldom) + gap), loud, "loss", "bits"), _PRETRAINED
    )


def _perplexity(rng: np.random.Generator) -> LabRun:
    """Perplexity of a small language model, evaluated every so often, in steps or their logarithm."""
    steps = grid(pick(rng, ("linear", "log")), count := whole(rng, 12, 200), decades(rng, count * 10.0, 1e5))
    first, best = between(rng, 5.0, 9.0), between(rng, 2.0, 4.0)
    scale = float(steps[-1]) * decades(rng, 3e-3, 3e-2)
    nats = first - (first - best) * learning(steps, scale, 0.7)
    loud = spread(between(rng, 0.002, 0.01))
    return lab_run(
        rng, _told(rng, (steps, steps), (nats, nats + 0.05), (loud, loud), "perplexity", "bits"), _PRETRAINED
    )


def _late_log(rng: np.random.Generator) -> LabRun:
    """The log begins deep in training: both losses creep down by little."""
    steps = 50_000 + grid("linear", whole(rng, 30, 500), decades(rng, 5e3, 5e4))
    nats = between(rng, 2.0, 3.0) - between(rng, 0.02, 0.1) * learning(steps - 50_000, 2e4)
    loud = (spread(0.02), spread(0.005))
    return lab_run(
        rng, _told(rng, (steps, steps), (nats, nats + 0.05), loud, "loss", "perplexity"), _PRETRAINED
    )


def _delayed(rng: np.random.Generator) -> LabRun:
    """The training loss vanishes, the held-out loss worsens, waits, and falls."""
    first, worse = between(rng, 1.5, 5.0), between(rng, 0.3, 1.5)
    fit = Rise(middle=decades(rng, 30.0, 2000.0), width=between(rng, 0.15, 0.35))
    late = Rise(middle=fit.when(0.97) * decades(rng, 6.0, 40.0), width=between(rng, 0.08, 0.25))
    steps = grid(
        pick(rng, ("log", "linear", "mixed")),
        whole(rng, 150, 1200),
        late.when(0.97) * between(rng, 1.3, 4.0),
        first=max(1.0, fit.when(0.02) / 2.0),
    )
    train = first * (1.0 - fit.at(steps)) + decades(rng, 1e-4, 1e-2)
    test = first * (1.0 + worse * fit.at(steps)) * (1.0 - late.at(steps)) + between(rng, 0.01, 0.1)
    loud = spread(0.01 * first)
    events = (("generalization", bracket(steps, late.when(0.03), late.when(0.97))),)
    truth = Truth(pattern=Pattern.OTHER, accept=frozenset({Pattern.GROKKING}), events=events)
    curves = _told(rng, (steps, steps), (train, test), (spread(0.0), loud), "loss")
    return lab_run(rng, curves, truth)


def _double_descent(rng: np.random.Generator) -> LabRun:
    """The held-out loss falls, rises to a peak, and falls below its first valley."""
    first, valley = between(rng, 2.0, 4.0), between(rng, 0.45, 0.65)
    down = Rise(middle=decades(rng, 50.0, 500.0), width=between(rng, 0.25, 0.4))
    up = Rise(middle=down.middle * decades(rng, 8.0, 20.0), width=between(rng, 0.15, 0.3))
    again = Rise(middle=up.middle * decades(rng, 6.0, 15.0), width=between(rng, 0.15, 0.3))
    hump, last = between(rng, 0.2, 0.5), between(rng, 0.1, 0.25)
    steps = grid("log", whole(rng, 80, 600), again.when(0.97) * between(rng, 1.5, 5.0), first=3.0)
    test = first * (
        1.0 - (1.0 - valley) * down.at(steps) + hump * up.at(steps) - (valley + hump - last) * again.at(steps)
    )
    train = first * (1.0 - down.at(steps) * 0.5 - up.at(steps) * 0.5) + 1e-3
    inside = (steps > down.when(0.9)) & (steps < again.when(0.9))
    peak = near_best(steps[inside], test[inside], _NEAR * first * hump)
    loud = spread(first * hump * between(rng, 0.005, 0.04))
    truth = Truth(
        pattern=Pattern.OTHER,
        accept=frozenset({Pattern.COMPREHENSION, Pattern.GROKKING}),
        events=(("double_descent", peak),),
    )
    return lab_run(rng, _told(rng, (steps, steps), (train, test), (loud, loud), "loss"), truth)


def _divergence(rng: np.random.Generator) -> LabRun:
    """The losses explode within a few evaluations and are no number from then on."""
    end = decades(rng, 1e3, 1e6)
    steps = grid("linear", count := whole(rng, 60, 800), end)
    at = int(count * between(rng, 0.3, 0.8))
    growing = int(rng.integers(2, 6))
    nats = between(rng, 6.0, 9.0) * (1.0 - 0.6 * learning(steps, end * 0.02, 0.7))
    nats[at : at + growing] += np.cumsum(rng.uniform(1.0, 6.0, growing))
    nats[at + growing :] = np.nan
    loud = (spread(0.03), spread(0.01))
    loss = draw_loss(rng, "loss")
    names = (loss.train, loss.test)
    curves = [
        Curve(name=name, steps=steps, values=noise(rng, nats))
        for name, noise in zip(names, loud, strict=True)
    ]
    interval = (float(steps[at - 1]), float(steps[min(at + growing + 1, len(steps) - 1)]))
    truth = Truth(pattern=Pattern.OTHER, events=(("divergence", interval),), is_negative=True)
    return lab_run(rng, curves, truth)


def _accuracy_diverges(rng: np.random.Generator) -> LabRun:
    """A classifier whose training loss is no number from some step on; accuracies end there."""
    steps = grid("linear", count := whole(rng, 60, 400), decades(rng, 1e3, 1e5))
    at, end = int(count * between(rng, 0.5, 0.8)), float(steps[-1])
    loss = 2.3 * (1.0 - 0.95 * settling(steps, end * 0.08)) + 0.01 * rng.standard_normal(count).cumsum() * 0.1
    loss = np.maximum(loss[:count], 0.01)
    loss[at:] = np.nan
    kept = steps[:at]
    rise, loud = settling(kept, end * 0.06), spread(0.01)
    curves = [
        Curve(name=pick(rng, ("loss", "train_loss")), steps=steps, values=loss),
        Curve(name="train_acc", steps=kept, values=loud(rng, 0.1 + 0.88 * rise)),
        Curve(name="val_acc", steps=kept, values=loud(rng, 0.1 + between(rng, 0.6, 0.85) * rise)),
    ]
    truth = Truth(
        pattern=Pattern.COMPREHENSION,
        accept=frozenset({Pattern.OTHER, Pattern.COLLAPSE}),
        events=(("divergence", (float(steps[at - 1]), float(steps[min(at + 1, count - 1)]))),),
        is_negative=True,
    )
    return lab_run(rng, curves, truth)


FAMILIES = (
    Family(name="losses-pretraining", says="A language model's pretraining.", draw=_pretraining),
    Family(name="losses-perplexity", says="Perplexity or bits of a small one.", draw=_perplexity),
    Family(name="losses-late-log", says="The log begins deep in training.", draw=_late_log),
    Family(name="losses-delayed", says="Delayed generalization in losses.", draw=_delayed),
    Family(name="losses-double-descent", says="Two descents of the held-out loss.", draw=_double_descent),
    Family(name="losses-divergence", says="The losses explode.", draw=_divergence),
    Family(name="losses-and-accuracy-diverge", says="A classifier diverges.", draw=_accuracy_diverges),
)
"""Families of runs told by losses."""
