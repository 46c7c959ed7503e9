"""What the usual rule says: compare the two halves of the held-out curve, and stop if it did not improve."""

from dataclasses import dataclass

import numpy as np

from grokscope.interventions.stopping.judged_curves import JudgedCurves


@dataclass(frozen=True, slots=True, kw_only=True)
class HalvesRule:
    """What comparing halves says of a run.

    Attributes:
        would_stop: Whether it calls the run overfitting and stops it.
        because: What it saw, in a sentence.
    """

    would_stop: bool
    because: str


def compare_halves(found: JudgedCurves) -> HalvesRule:
    """Return what the naive rule says: training got better, held out did not → "overfitting, stop early".

    The mean of the second half of the held-out loss (of the accuracy, where no loss was logged) is compared
    with that of the first, and so is the training curve. This is the diagnosis that trackers and agents give;
    it is shown beside ours, and is not used.

    >>> import polars as pl
    >>> rows = [(m, s, v * s) for m, v in (("train_acc", 0.1), ("val_acc", 0.0)) for s in range(1, 9)]
    >>> frame = pl.DataFrame(rows, schema=["metric", "step", "value"], orient="row")
    >>> compare_halves(JudgedCurves.of(frame)).because
    'train_acc improved from 0.25 to 0.65 between the two halves, val_acc did not: 0 to 0'
    """
    held = found.loss if found.loss is not None else found.level
    trains = (
        (found.train_loss, found.train_level) if held is found.loss else (found.train_level, found.train_loss)
    )
    train = next((curve for curve in trains if curve is not None), None)
    if held is None or train is None or min(len(held), len(train)) == 1:
        return HalvesRule(would_stop=False, because="It needs a training and a held-out curve.")
    first, second = (float(np.mean(half)) for half in np.array_split(held.progress, 2))
    fitted, fits = (float(np.mean(half)) for half in np.array_split(train.progress, 2))
    stops = fits > fitted and second <= first
    trained = f"{train.metric} {'improved' if fits > fitted else 'did not improve'}"
    tested = (
        f"{held.metric} {'did' if second > first else 'did not'}: {held.said(first)} to {held.said(second)}"
    )
    levels = f"from {train.said(fitted)} to {train.said(fits)} between the two halves"
    return HalvesRule(would_stop=stops, because=f"{trained} {levels}, {tested}")
