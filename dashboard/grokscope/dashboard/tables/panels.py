"""Which curves of a run stand together in one panel, and in which order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grokscope.dashboard.charts.elements.quantity import label_of
from grokscope.schemas import METRICS, find_metric, is_split

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
    """

    key: str
    title: str
    family: str
    series: Mapping[str, str]


def panels_of(metrics: Iterable[str]) -> list[Panel]:
    """Return the panels for ``metrics``: accuracy and loss first, then norms, representation and the rest.

    >>> [p.title for p in panels_of(["weights/norm", "test/loss", "train/loss", "progress/seconds"])]
    ['loss', 'weight norm']
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for metric in sorted(metrics):
        family, quantity = _place(metric)
        if is_about_learning(metric):
            groups.setdefault((family, quantity), []).append(metric)
    ordered = sorted(groups.items(), key=lambda item: _rank(*item[0]))
    return [
        Panel(
            key=f"panel_{i}",
            title=_title(names[0]),
            family=_CHAPTERS.get(family, family) if family in _FAMILIES else _OTHER,
            series={name: _short(name) for name in names},
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
    return ("curve", rest) if is_split(family) else (family, rest.partition("/")[0])


def _rank(family: str, quantity: str) -> tuple[int, int, str, str]:
    if (family, quantity) == ("curve", "accuracy"):
        return (0, -1, "", "")
    place = _TABLE.index((family, quantity)) if (family, quantity) in _TABLE else len(_TABLE)
    known = _FAMILIES.index(family) if family in _FAMILIES else len(_FAMILIES)
    return (known, place, family, quantity)


def _title(metric: str) -> str:
    known = find_metric(metric)
    return known.label if known else metric


def _short(metric: str) -> str:
    """Return the part of a metric's name that differs within its panel: the split, or the place."""
    family, _, rest = metric.partition("/")
    if is_split(family):
        return family
    where = rest.partition("/")[2]
    return where or ("total" if find_metric(metric) else label_of(metric))
