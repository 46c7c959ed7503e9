"""The table of metrics: every measure there is, and what gives it.

``make measures`` writes it where it is read: ``metrics.json`` and ``arrays.json`` of the schemas, and
``docs/measures.md``.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from grokscope.collectors.measures import ARRAY_INSTRUMENTS, INSTRUMENTS
from grokscope.collectors.measures.outputs.curves import CURVE_MEASURES, LOSS
from grokscope.collectors.measures.outputs.labels import AUC
from grokscope.collectors.measures.outputs.regression import R2
from grokscope.collectors.measures.outputs.sampling import SAMPLING
from grokscope.collectors.measures.progress import COUNTED, FLOPS, SECONDS
from grokscope.collectors.measures.tracking import BATCH_LOSS, COLLECTOR, DETECTOR
from grokscope.collectors.measures.updates.steps import STEP_MEASURES
from grokscope.collectors.measures.weights.movement import ANGLE_FROM_INIT, DISTANCE_FROM_INIT
from grokscope.collectors.measures.weights.norms import NORM
from grokscope.schemas import Measure
from grokscope.schemas.arrays import ArrayMeasure

TABLE = Path("schemas", "grokscope", "schemas", "metrics.json")
ARRAY_TABLE = TABLE.with_name("arrays.json")
PAGE = Path("docs", "measures.md")
COSTS = Path("benchmarks", "measures_costs.json")

_INTRODUCTION = """\
# Measures

Every row of the table of metrics, written by `make measures` from the records in
`grokscope.collectors.measures`. Tier 0 is measured at every evaluation, tiers 1 and 2 within the tracker's
budget. A place may follow the key: a layer, a matrix, a head, a split.

"Given by" names the function that makes the instrument, for
`Tracker(model, optimizer, measures=[sharpness()])`; import it from `grokscope.collectors.measures`.
{default} and what `Tracker.evaluate` gives come by themselves.

A cost is that of the whole instrument that gives the row among others: median processor time of one thread,
on a shared machine good to a factor of two. `GPT-2 width, 2 layers` has GPT-2 small's width (768, 12 heads)
with 2 of its 12 layers, 8,192 of its 50,257 tokens, and 512 tokens a batch; tier 2 was not measured on it.
One training step for comparison: {steps}.

"Around grokking" is the lead over test accuracy in units of the delay, the median over 7 seeds of the demo's
MLP at half of each measure's own change, known only in hindsight; what other sources claim is theirs.
"""

_ARRAYS = """\
## Arrays

Small arrays of a step, for maps of layers by steps and for snapshots. An instrument of arrays is read at the
first evaluation in each eighth of a decade of steps, within the same budget as the other costly measures.
`Tracker.log_array(step, name, values, axes=...)` logs one of your own: 65,536 values, four axes, 4 MiB a step
and 256 MiB a run at most; what is beyond is left out and said once. `measures=arrays()` adds those that do
not come by themselves.

They go through the spool like every point and become Parquet files, one row an array, in the artifacts of
the run (`grokscope/arrays`). While a run trains, the file that still grows is sent anew every 20 s, so that
most runs have one file; the name tells where in the spool it begins, and a file that is sent again takes the
place of the same one. `store.arrays(run_ids, names)` reads them back: of two arrays of one name and step the
later one. Where artifacts cannot be stored, points arrive all the same, and the files are kept beside the
dead letters.
"""


class Giver(Protocol):
    """What gives measures: the constructor of an instrument, or the tracker itself."""

    @property
    def name(self) -> str:
        """As the page says it."""
        ...

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What it may give."""
        ...


@dataclass(frozen=True, slots=True)
class _Own:
    name: str
    measures: tuple[Measure, ...]


GIVERS: tuple[Giver, ...] = (
    _Own(
        "Tracker.evaluate",
        (*CURVE_MEASURES, R2, AUC, *SAMPLING, NORM, DISTANCE_FROM_INIT, ANGLE_FROM_INIT, *STEP_MEASURES),
    ),
    *INSTRUMENTS,
    _Own("Tracker.seen", COUNTED),
    _Own("Tracker.evaluate", (FLOPS, SECONDS, *COLLECTOR)),
    _Own("Tracker.log", (BATCH_LOSS,)),
    _Own("Tracker(detector=...)", DETECTOR),
)
"""Everything that gives measures, in the order of the table."""


def all_measures() -> tuple[Measure, ...]:
    """Return every measure once, a family after the other.

    >>> [one.key for one in all_measures()][:2]
    ['<split>/loss', '<split>/batch_loss']
    """
    # The loss of the batch stands beside that of the split.
    found = dict.fromkeys((LOSS, BATCH_LOSS, *(one for giver in GIVERS for one in giver.measures)))
    families = list(dict.fromkeys(measure.family for measure in found))
    return tuple(sorted(found, key=lambda measure: families.index(measure.family)))


def given_by(measure: Measure) -> tuple[str, ...]:
    """Return the names of what gives a measure.

    >>> given_by(DISTANCE_FROM_INIT)
    ('Tracker.evaluate', 'movement')
    """
    return tuple(dict.fromkeys(giver.name for giver in GIVERS if measure in giver.measures))


def table() -> str:
    """Return the table as JSON, a row a line.

    >>> json.loads(table())[0]["given_by"]
    ['Tracker.evaluate']
    """
    return _lines({**asdict(measure), "given_by": given_by(measure)} for measure in all_measures())


def array_table() -> str:
    """Return the table of arrays as JSON, a row a line.

    >>> json.loads(array_table())[0]["name"]
    'layers/norm'
    """
    return _lines(
        {**asdict(one), "given_by": [make.name]} for make in ARRAY_INSTRUMENTS for one in make.arrays
    )


def page(models: Sequence[Mapping[str, Any]]) -> str:
    """Return the table as a page of Markdown.

    Args:
        models: The name of each reference model, ``step_ms`` of a training step, and ``costs_ms`` by key.
    """
    makes = (*INSTRUMENTS, *ARRAY_INSTRUMENTS)
    default = ", ".join(f"`{make.name}()`" for make in makes if make.use == "default")
    steps = "; ".join(f"{model['name']}: {_ms(model['step_ms'])}" for model in models)
    names = [model["name"] for model in models]
    head = ["key", "what", "formula", "unit", "tier", "given by", *names, "around grokking", "source"]
    lines = [
        _INTRODUCTION.format(default=default, steps=steps),
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(_cells(measure, models))} |" for measure in all_measures()),
        "",
        _ARRAYS,
        "| what | name | axes | formula | unit | tier | given by | source |",
        f"|{'---|' * 8}",
        *(
            f"| {' | '.join(_array_cells(one, make.name))} |"
            for make in ARRAY_INSTRUMENTS
            for one in make.arrays
        ),
        "",
    ]
    return "\n".join(lines)


def _lines(rows: Iterable[Mapping[str, Any]]) -> str:
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _array_cells(one: ArrayMeasure, name: str) -> list[str]:
    return [
        one.label,
        f"`{one.name}`",
        " × ".join(one.axes),
        one.formula.replace("|", "\\|"),
        one.unit,
        one.tier.value,
        f"`{name}()`",
        one.source,
    ]


def _cells(measure: Measure, models: Sequence[Mapping[str, Any]]) -> list[str]:
    costs = [model["costs_ms"].get(measure.key) for model in models]
    makes = {make.name for make in INSTRUMENTS}
    return [
        f"`{measure.key}`",
        measure.label.replace("|", "\\|"),
        measure.formula.replace("|", "\\|") or "—",
        measure.unit,
        measure.tier.value,
        ", ".join(f"`{name}()`" if name in makes else f"`{name}`" for name in given_by(measure)),
        *(_ms(cost) if cost is not None else "—" for cost in costs),
        measure.around or "—",
        measure.source,
    ]


def _ms(value: float) -> str:
    """Return two digits, which is all that the figures are good for."""
    return f"{float(f'{value:.2g}'):g} ms"


def main() -> None:
    """Write them into the repository whose folder is the argument."""
    root = Path(sys.argv[1])
    (root / TABLE).write_text(table(), "utf-8")
    (root / ARRAY_TABLE).write_text(array_table(), "utf-8")
    (root / PAGE).write_text(page(json.loads((root / COSTS).read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main()
