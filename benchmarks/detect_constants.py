"""How far the score on known runs rests on the engine's constants: a markdown table on stdout.

python benchmarks/detect_constants.py FOLDER         FOLDER holds labelled public curves, see detect.py
python benchmarks/detect_constants.py laboratory     three runs of each family of the development half

Each constant by itself is made a quarter smaller and a third larger (whole numbers by 40 % and 60 %, levels
of accuracy by 0.02), wherever the engine uses it. A constant that was fitted to the curves would show.
"""

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import polars as pl

import grokscope.transitions
from grokscope.transitions import detect
from grokscope.transitions.curves.series import curves_by_run
from grokscope.transitions.evaluation.laboratory.development.families import FAMILIES
from grokscope.transitions.evaluation.laboratory.judging import judged
from grokscope.transitions.evaluation.laboratory.tables import macro_f1
from grokscope.transitions.evaluation.scoring import Score, labels_from_json, score

CONSTANTS = {
    "events.completion": "GENERALIZED NEARLY MARGIN FINISHED NEAR LOST",
    "events.generalization": (
        "KEPT LEAST_LATE TOLERANCE STANDARD_ERRORS HIGHEST SHORT_WAIT FOOT DELAY_RATIO"
    ),
    "events.memorization": "FITTED MEMORIZED LEAST_CEILING SETTLED LEARNED LEAST_SIGNAL",
    "events.overfitting": "LEAST_SHARE LEAST_SIGNAL LEAST_OF_LEVEL TRAIN_LOSES AT_END",
    "events.double_descent": "LEAST_SHARE LEAST_SIGNAL LEAST_OF_LEVEL LOWER",
    "verdict.pattern": ("SEEN_RATIO SEEN_EVALUATIONS MOSTLY LEAST_GAIN SLOWING REGAINED LEAST_MEMORIZED"),
    "verdict.analysis": "BEGUN LEAST_GENERAL LEAST_HELD",
    "events.collapse": (
        "CHRONIC_SHARE CHRONIC_DIPS LEAST_CHRONIC OFTEN LATE LATE_LOSSES LEAST_LOST MOSTLY_LOST USUAL NOISY"
    ),
    "curves.levels": "BEYOND",
    "curves.plateau": "ONSET FLAT HALVES LEAST_GROUND LOPSIDED EARLY GATHERS NOISY REACH",
    "curves.s_curve": "CLIP SMOOTHED",
    "curves.series": "SHORT",
    "curves.noise": "FEW LEAST_GROUND MOST OUTLYING GROUND UNSURE SHIFT PERSISTENT CUT_OFF",
    "curves.intervals": "NEARBY AT_THE_END",
    "events.phase_change": (
        "PER_DECADE STEEP FLAT NOISY LEAST_SHARE LEAST_OF_LEVEL LEAST_SIGNAL LEAST_PLATEAU ABRUPT"
    ),
}
"""Module -> the constants that its answers turn on."""
LEVELS = frozenset({"GENERALIZED", "NEARLY", "FINISHED", "LOST", "FITTED", "MEMORIZED", "MOST"})
"""Those near 1, moved by ``NEXT_TO_1``."""
NEXT_TO_1 = 0.02
RUNS = 3
_MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(grokscope.transitions.__path__, prefix="grokscope.transitions.")
]


@contextmanager
def changed(source: ModuleType, name: str, value: float) -> Iterator[None]:
    """Change it in its own module and in those that import it."""
    before = getattr(source, name)
    users = [module for module in _MODULES if getattr(module, name, None) is before]
    for module in users:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module in users:
            setattr(module, name, before)


def others(name: str, value: float) -> tuple[float, float]:
    if name in LEVELS:
        return value - NEXT_TO_1, min(value + NEXT_TO_1, 0.999)
    if isinstance(value, int):
        return max(round(0.6 * value), 1), round(1.6 * value)
    return 0.75 * value, 4 / 3 * value


def table(judge: Callable[[], Sequence[str]], columns: Sequence[str]) -> Iterator[str]:
    yield f"| constant | from | to | {' | '.join(columns)} |"
    yield f"|---|---|---|{'---|' * len(columns)}"
    usual, tried = judge(), 0
    yield f"| all as they are | | | {' | '.join(usual)} |"
    for module, names in CONSTANTS.items():
        source = importlib.import_module(f"grokscope.transitions.{module}")
        for name in names.split():
            value = getattr(source, name)
            for other in others(name, value):
                with changed(source, name, other):
                    found = judge()
                tried += 1
                if found != usual:
                    yield f"| {module}.{name} | {value:.3g} | {other:.3g} | {' | '.join(found)} |"
    yield f"| any of the other changes, {tried} in all | | | {' | '.join(usual)} |"


def on_curves(folder: Path) -> Iterator[str]:
    points = pl.read_parquet(folder / "curves.parquet", glob=False)
    labels = labels_from_json(folder / "labels.json")
    runs = curves_by_run(points).items()
    grids = {run: curves["test/accuracy"].steps for run, curves in runs if "test/accuracy" in curves}
    columns = ("macro-F1", "false alarms", "onset", "overlap", "collapse", "phase change")
    return table(lambda: cells_of(score(detect(points), labels, steps=grids)), columns)


def on_laboratory() -> Iterator[str]:
    def judge() -> Sequence[str]:
        found = list(judged(FAMILIES, seeds=range(RUNS)))
        alarms = sum(one.false_alarm is True for one in found)
        right = sum(one.is_right for one in found)
        return f"{macro_f1(found):.3f}", f"{right}/{len(found)}", str(alarms)

    return table(judge, ("macro-F1", "right", "false alarms"))


def cells_of(found: Score) -> Sequence[str]:
    tallies = (found.false_alarms, found.onset, found.overlap, found.collapse, found.phase_change)
    return (f"{found.macro_f1:.2f}", *map(str, tallies))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for line in on_laboratory() if sys.argv[1] == "laboratory" else on_curves(Path(sys.argv[1])):
        print(line, flush=True)
