"""What one run is judged by: its held-out curves, and the training curves beside them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

from grokscope.interventions.stopping.score_curve import FloatArray, ScoreCurve, is_level
from grokscope.schemas import SCORES, Scale, Score, as_points, held_out, is_split, latest, readings, resolve

LEAST_EVALUATIONS = 8
"""Fewer evaluations of a held-out curve tell neither."""

_QUANTITIES = tuple(SCORES)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCurves:
    """The curves of one run that tell overfitting from a delay.

    Attributes:
        level, loss: Held out: an accuracy or another score that has a best value, and a loss.
        train_level, train_loss: Of the training set.
        others: Scores of further held-out sets.
        norm: Steps and values of the weight norm; ``None`` if it was not logged.
    """

    level: ScoreCurve | None
    loss: ScoreCurve | None
    train_level: ScoreCurve | None
    train_loss: ScoreCurve | None
    others: tuple[ScoreCurve, ...] = ()
    norm: tuple[FloatArray, FloatArray] | None = None

    @classmethod
    def of(cls, curves: pl.DataFrame) -> Self:
        """Return what the names of the metrics tell; see ``grokscope.schemas.resolve``.

        Args:
            curves: ``metric, step, value`` of one run, in any order, of any logger.

        >>> rows = {"metric": ["val_acc", "acc", "loss"], "step": [1, 1, 1], "value": [50.0, 90.0, 0.2]}
        >>> found = JudgedCurves.of(pl.DataFrame(rows))
        >>> found.level.key, found.level.progress, found.train_level.metric, found.loss
        ('val/accuracy', array([0.5]), 'acc', None)
        """
        points = latest(as_points(curves))
        keys = _keys(points["metric"].unique().sort().to_list())
        by_key = {
            key: curve
            for metric, key in keys.items()
            if is_split(key.partition("/")[0])
            if (curve := ScoreCurve.of(points, metric, key)) is not None
        }
        level, train_level = _pair(by_key, is_level)
        split = None if level is None else level.split
        loss, train_loss = _pair(by_key, _is_loss, split=split)
        judged = {curve.key for curve in (level, loss) if curve is not None}
        main = next(iter(judged), "").partition("/")[0]
        others = [c for c in by_key.values() if c.split not in ("train", main)]
        return cls(
            level=level,
            loss=loss,
            train_level=train_level,
            train_loss=train_loss,
            others=tuple(others),
            norm=_norm(points, keys),
        )


def _keys(names: Sequence[str]) -> dict[str, str]:
    """Map names to keys; where no held-out curve is sure, one that training has too is taken."""
    keys = resolve(names)
    if any(key.startswith(("test/", "val/", "shift:")) for key in keys.values()):
        return keys
    scored = [one for one in readings(names).values() if one.score is not None and one.split]
    trained = {(one.task, one.score) for one in scored if one.split == "train"}
    pairs = [one for one in scored if (one.task, one.score) in trained]
    return keys | {one.name: f"{one.split}/{one.score.quantity}" for one in pairs if one.score is not None}


def _pair(
    by_key: Mapping[str, ScoreCurve], fits: Callable[[Score], bool], *, split: str | None = None
) -> tuple[ScoreCurve | None, ScoreCurve | None]:
    """Return the held-out curve of the first quantity that fits, and that of training.

    One with enough evaluations and a training curve beside it goes first, then one of ``split``, then the
    order of the table of scores.
    """
    evaluations = {key: len(curve) for key, curve in by_key.items()}
    found: list[tuple[tuple[object, ...], ScoreCurve, ScoreCurve | None]] = []
    for quantity in dict.fromkeys(curve.score.quantity for curve in by_key.values()):
        name = held_out(evaluations, quantity)
        if name is None or not fits(by_key[name].score) or quantity not in _QUANTITIES:
            continue
        curve, train = by_key[name], by_key.get(f"train/{quantity}")
        order = (
            len(curve) < LEAST_EVALUATIONS,
            split is not None and curve.split != split,
            train is None,
            _QUANTITIES.index(quantity),
        )
        found.append((order, curve, train))
    if not found:
        return None, _first_of_training(by_key, fits)
    _, curve, train = min(found, key=lambda one: one[0])
    return curve, train if train is not None else _first_of_training(by_key, fits)


def _first_of_training(by_key: Mapping[str, ScoreCurve], fits: Callable[[Score], bool]) -> ScoreCurve | None:
    names = (f"train/{quantity}" for quantity in _QUANTITIES)
    return next((by_key[name] for name in names if name in by_key and fits(by_key[name].score)), None)


def _norm(points: pl.DataFrame, keys: Mapping[str, str]) -> tuple[FloatArray, FloatArray] | None:
    metric = next((metric for metric, key in keys.items() if key == "weights/norm"), None)
    rows = points.filter((pl.col("metric") == (metric or "")) & pl.col("value").is_finite()).sort("step")
    return None if rows.is_empty() else (rows["step"].to_numpy(), rows["value"].to_numpy())


def _is_loss(score: Score) -> bool:
    return not score.higher_is_better and score.scale in (Scale.LOG, Scale.POSITIVE)
