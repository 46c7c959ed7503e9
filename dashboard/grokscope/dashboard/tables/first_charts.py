"""Which charts a comparison begins with, by what was logged."""

from collections.abc import Mapping

import polars as pl

from grokscope.dashboard.charts.elements.quantity import quantity_name
from grokscope.dashboard.tables.main_metric import first_metric
from grokscope.dashboard.tables.panels import is_about_learning, panels_of
from grokscope.schemas import held_out

_FEWEST, _MOST = 4, 5
_REPRESENTATION = "representation/"
_WEIGHT_NORM = "weights/norm"


def first_charts(names: Mapping[str, int], main: pl.DataFrame) -> list[str]:
    """Return the metrics to draw first: what runs are judged by, its training curve, losses, norm, a measure.

    Where little of that was logged, whatever else says something about the model comes after it.

    Args:
        names: Metric -> how many of the runs have it; ``held_out_scores`` among them.
        main: Rows of ``main_curves`` of these runs.

    >>> none = pl.DataFrame(schema={n: pl.String() for n in ("run_id", "metric", "role", "quantity")})
    >>> first_charts({"loss": 1, "lr": 1, "progress/seconds": 1}, none)
    ['loss', 'lr']
    >>> logged = ["test/accuracy", "train/accuracy", "train/loss", "weights/norm", "logits/entropy"]
    >>> first_charts(dict.fromkeys(logged, 2), none)
    ['test/accuracy', 'train/accuracy', 'train/loss', 'weights/norm']
    """
    learning = {name: count for name, count in names.items() if is_about_learning(name)} or dict(names)
    judged = first_metric(learning, main)
    wanted = [judged, *_curves(judged, learning), *_measures(learning)]
    found = list(dict.fromkeys(name for name in wanted if name is not None and name in learning))[:_MOST]
    rest = [name for panel in panels_of(learning) for name in panel.series]
    others = [name for name in rest if name not in found]
    return [*found, *others[: max(0, _FEWEST - len(found))]]


def _curves(judged: str | None, names: Mapping[str, int]) -> list[str | None]:
    twin = f"train/{quantity_name(judged)}" if judged is not None else None
    return [twin, held_out(dict(names), "loss"), "train/loss"]


def _measures(names: Mapping[str, int]) -> list[str | None]:
    measures = [
        name for panel in panels_of(names) for name in panel.series if name.startswith(_REPRESENTATION)
    ]
    most = max(measures, key=lambda name: names[name], default=None)
    return [_WEIGHT_NORM, most]
