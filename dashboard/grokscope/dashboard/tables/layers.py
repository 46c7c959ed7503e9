"""Measures that a run has of several layers: as scalars of their own names, or as arrays."""

from collections.abc import Mapping, Sequence

import polars as pl

from grokscope.dashboard.charts.elements.quantity import label_of
from grokscope.schemas import find_metric, is_split
from grokscope.schemas.arrays import cells, find_array
from grokscope.schemas.runs.ordering import natural

MOST_STEPS = 160
"""Columns of a heatmap; of more steps, as many are drawn, evenly chosen."""

MOST_LAYERS = 120
_FEWEST = 2
_OF_US = "collector"
_OF_LAYERS = ("parameter", "matrix", "layer", "head", "block")
CELLS = pl.Schema({"layer": pl.String(), "step": pl.Int64(), "end": pl.Int64(), "value": pl.Float64()})


def layered_metrics(metrics: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return quantity -> metric -> layer, of quantities that the table knows and two layers or more have.

    What is measured on a split has the split behind its name, which is no layer, and what the collector
    says of itself that of an instrument.

    >>> layered_metrics(["weights/norm/a", "weights/norm/b", "weights/norm", "my/own/x", "my/own/y"])
    {'weights/norm': {'weights/norm/a': 'a', 'weights/norm/b': 'b'}}
    >>> layered_metrics(["representation/nc1/train", "representation/nc1/val"])
    {}
    >>> layered_metrics(["collector/skipped/ranks", "collector/skipped/spectra"])
    {}
    """
    found: dict[str, dict[str, str]] = {}
    for metric in metrics:
        family, _, rest = metric.partition("/")
        name, _, layer = rest.partition("/")
        known = find_metric(metric)
        is_measure = known is not None and known.family != "curve" and family != _OF_US
        if layer and not is_split(layer) and is_measure:
            found.setdefault(f"{family}/{name}", {})[metric] = layer
    return {quantity: of for quantity, of in sorted(found.items()) if len(of) >= _FEWEST}


def of_metrics(points: pl.DataFrame, layers: Mapping[str, str]) -> pl.DataFrame:
    """Return ``CELLS`` of the points of one run.

    Args:
        points: ``metric, step, value``.
        layers: Metric -> layer.
    """
    mine = points.filter(pl.col("metric").is_in(list(layers)) & pl.col("value").is_finite())
    named = pl.col("metric").replace_strict(dict(layers), return_dtype=pl.String(), default=None)
    return _cells(mine.select(named.alias("layer"), "step", "value"), order=natural(layers.values()))


def of_arrays(arrays: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return title -> ``CELLS`` of the arrays whose only axis is one of layers.

    Args:
        arrays: ``ARRAY_SCHEMA`` of one run.
    """
    flat = arrays.filter(pl.col("axes").list.len() == 1, pl.col("axes").list.first().is_in(_OF_LAYERS))
    found: dict[str, pl.DataFrame] = {}
    for (name,), own in cells(flat).group_by("name", maintain_order=True):
        mine = own.filter(pl.col("value").is_finite())
        rows = mine.select(pl.col("row_label").alias("layer"), "step", "value")
        order = mine.unique("row_label", maintain_order=True).sort("row")["row_label"].to_list()
        found[title_of(str(name))] = _cells(rows, order=order)
    return found


def of_singular_values(arrays: pl.DataFrame, place: int) -> pl.DataFrame:
    """Return ``CELLS`` of the singular values of one place (0: the largest) of each matrix.

    Args:
        arrays: ``ARRAY_SCHEMA`` of one run.
        place: Counted from 0.
    """
    own = cells(arrays.filter(pl.col("name") == "layers/singular_values"))
    mine = own.filter(pl.col("value").is_finite(), pl.col("column") == place)
    order = mine.unique("row_label", maintain_order=True).sort("row")["row_label"].to_list()
    return _cells(mine.select(pl.col("row_label").alias("layer"), "step", "value"), order=order)


def title_of(name: str) -> str:
    """Return what an array or a quantity is called.

    >>> title_of("layers/norm"), title_of("weights/norm"), title_of("my/own")
    ('norm of each parameter', 'weight norm', 'my/own')
    """
    known = find_array(name)
    rest = "/".join(name.split("/")[2:])
    return label_of(name) if known is None else known.label + (f", {rest}" if rest else "")


def _cells(rows: pl.DataFrame, *, order: Sequence[str]) -> pl.DataFrame:
    """Return the rows of chosen steps, each up to the next step, in the order of the layers."""
    steps = rows["step"].unique().sort()
    if steps.len() > MOST_STEPS:
        places = [round(i * (steps.len() - 1) / (MOST_STEPS - 1)) for i in range(MOST_STEPS)]
        steps = steps.gather(sorted(set(places)))
    ends = [*steps[1:].to_list(), *([int(steps[-1]) + max(1, int(steps[-1]) // 20)] if steps.len() else [])]
    until = pl.DataFrame({"step": steps, "end": pl.Series(ends, dtype=pl.Int64)})
    shown = list(dict.fromkeys(order))[:MOST_LAYERS]
    rank = {layer: place for place, layer in enumerate(shown)}
    kept = rows.filter(pl.col("layer").is_in(shown)).join(until, on="step", how="inner")
    place = pl.col("layer").replace_strict(rank, return_dtype=pl.Int64(), default=len(rank))
    return kept.sort(place, "step").select(CELLS.names())
