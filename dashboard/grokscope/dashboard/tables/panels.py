"""Which curves of a run stand together in one panel, and in which order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grokscope.dashboard.charts.elements.quantity import label_of
from grokscope.schemas import METRICS, find_metric, is_split, score_of

# What progress counts, what a collector costs and what a detector says are no measures of the model.
_HIDDEN = frozenset({"progress", "collector", "detector", "system"})
_TABLE = tuple(METRICS)
_FAMILIES = (
    "curve",
    "weights",
    "representation",
    "gradients",
    "updates",
    "logits",
    "attention",
    "curvature",
    "task",
)

_CHAPTERS = {"curve": "curves"}
_OTHER = "other"
OVERVIEW, ALL = "overview", "all"
FEW = 8
"""Panels that a page shows without asking which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Curves of one quantity.

    Attributes:
        key: Stable name, of our own making.
        title: What the panel shows.
        family: The chapter that it stands in.
        series: Metric -> what its curve is called in this panel.
        is_first: Whether it comes before all others.
    """

    key: str
    title: str
    family: str
    series: Mapping[str, str]
    is_first: bool = False


def panels_of(metrics: Iterable[str], *, first: str | None = None) -> list[Panel]:
    """Return the panels for ``metrics``: accuracy and loss first, then norms, representation and the rest.

    Args:
        metrics: Names.
        first: The metric whose panel comes before all others.

    >>> [p.title for p in panels_of(["weights/norm", "test/loss", "train/loss", "progress/seconds"])]
    ['loss', 'weight norm']
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for metric in sorted(metrics):
        family, quantity = _place(metric)
        if is_about_learning(metric):
            groups.setdefault((family, quantity), []).append(metric)
    ordered = sorted(groups.items(), key=lambda item: (first not in item[1], *_rank(*item[0])))
    return [
        Panel(
            key=f"panel_{i}",
            title=_title(names),
            family=_CHAPTERS.get(family, family) if family in _FAMILIES else _OTHER,
            series={name: _short(name) for name in names},
            is_first=i == 0,
        )
        for i, ((family, _), names) in enumerate(ordered)
    ]


def chapters_of(panels: Sequence[Panel]) -> Mapping[str, Sequence[Panel]]:
    """Return which panels can be looked at together, by name: an overview, each family, all of them.

    The overview has the first two curves and the first panel of every other family. A few are one chapter.

    >>> panels = panels_of([f"weights/{i}" for i in range(9)] + ["train/loss", "my/own"])
    >>> {name: len(shown) for name, shown in chapters_of(panels).items()}
    {'overview': 3, 'curves': 1, 'weights': 9, 'other': 1, 'all': 11}
    """
    if len(panels) <= FEW:
        return {ALL: panels}
    families: dict[str, list[Panel]] = {}
    for panel in panels:
        families.setdefault(panel.family, []).append(panel)
    first = [own[: 2 if name == "curves" else 1] for name, own in families.items()]
    return {OVERVIEW: [panel for own in first for panel in own], **families, ALL: panels}


def is_about_learning(metric: str) -> bool:
    """Return whether a metric says something about the model, and not only about the program that measures.

    >>> is_about_learning("weights/norm"), is_about_learning("collector/seconds")
    (True, False)
    """
    return metric.partition("/")[0] not in _HIDDEN


def _place(metric: str) -> tuple[str, str]:
    family, _, rest = metric.partition("/")
    if is_split(family):
        return "curve", rest
    score = None if find_metric(metric) is not None else score_of(metric)
    return ("curve", score.quantity) if score is not None else (family, rest.partition("/")[0])


def _rank(family: str, quantity: str) -> tuple[int, int, str, str]:
    if (family, quantity) == ("curve", "accuracy"):
        return (0, -1, "", "")
    place = _TABLE.index((family, quantity)) if (family, quantity) in _TABLE else len(_TABLE)
    known = _FAMILIES.index(family) if family in _FAMILIES else len(_FAMILIES)
    return (known, place, family, quantity)


def _title(metrics: Sequence[str]) -> str:
    """Return what a panel shows: the table's label, else the quantity of a score, else the metric's name.

    >>> _title(["acc/val_far", "train/accuracy"]), _title(["train/top5_accuracy"]), _title(["my/own"])
    ('accuracy', 'top5 accuracy', 'my/own')
    """
    known = next((known for name in metrics if (known := find_metric(name)) is not None), None)
    if known is not None:
        return known.label
    score = score_of(metrics[0])
    return metrics[0] if score is None else score.quantity.replace("_", " ")


def _short(metric: str) -> str:
    """Return the part of a metric's name that differs within its panel: the split, or the place."""
    family, _, rest = metric.partition("/")
    if is_split(family):
        return family
    where = rest.partition("/")[2]
    if find_metric(metric) is None and score_of(metric) is not None:
        return metric
    return where or ("total" if find_metric(metric) else label_of(metric))
