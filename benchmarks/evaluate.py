"""How the engine does on laboratories drawn at random: markdown tables on stdout.

python benchmarks/evaluate.py WHAT [--runs 40] [--seed 0] [--only FAMILY ...] [--wrong] [--points FILE]

WHAT is a half of the laboratory, `development` or `unseen` (--wrong lists each run that is not right);
`coverage`, how often 95 % intervals hold the truth, by kind (--runs 2000); or `stability`, how many patterns
change with the way of logging, on the development half or on the runs of FILE, a Parquet of points.
"""

import argparse
import importlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from grokscope.schemas import as_points
from grokscope.transitions.evaluation.laboratory.development.coverage import KINDS
from grokscope.transitions.evaluation.laboratory.family import Family
from grokscope.transitions.evaluation.laboratory.judging import drawn, judged
from grokscope.transitions.evaluation.laboratory.stability import CHANGES, flips
from grokscope.transitions.evaluation.laboratory.tables import by_family, by_kind, share, summary, wrong_runs

LABORATORY = "grokscope.transitions.evaluation.laboratory"
HALVES = ("development", "unseen")


def families_of(half: str) -> Sequence[Family]:
    return importlib.import_module(f"{LABORATORY}.{half}.families").FAMILIES


def chosen(families: Sequence[Family], only: Sequence[str]) -> list[Family]:
    unknown = set(only) - {family.name for family in families}
    if unknown:
        names = ", ".join(family.name for family in families)
        raise SystemExit(f"no family {', '.join(sorted(unknown))}; there are {names}")
    return [family for family in families if not only or family.name in only]


def evaluation(told: argparse.Namespace, seeds: range) -> Iterator[str]:
    judgements = list(judged(chosen(families_of(told.what), told.only), seeds=seeds))
    if told.wrong:
        yield from wrong_runs(judgements)
    yield from by_family(judgements)
    yield ""
    yield from summary(judgements)


def coverage(told: argparse.Namespace, seeds: range) -> Iterator[str]:
    return by_kind(judged(chosen(KINDS, told.only), seeds=seeds))


def stability(told: argparse.Namespace, seeds: range) -> Iterator[str]:
    if told.points:
        groups: Iterable[tuple[str, list[pl.DataFrame]]] = [(told.points.name, runs_of(told.points))]
    else:
        families = chosen(families_of("development"), told.only)
        groups = ((f.name, [drawn(f, seed).points for seed in seeds]) for f in families)
    yield f"| patterns that change | {' | '.join(CHANGES)} |"
    yield f"|---|{'---|' * len(CHANGES)}"
    every = []
    for name, runs in groups:
        found = [flips(points, seed=i) for i, points in enumerate(runs)]
        yield flip_row(name, found)
        every += found
    yield flip_row(f"all, {len(every)} runs", every)


def flip_row(name: str, found: Sequence[dict[str, bool]]) -> str:
    return f"| {name} | {' | '.join(share(flip.get(change) for flip in found) for change in CHANGES)} |"


def runs_of(path: Path) -> list[pl.DataFrame]:
    return as_points(pl.read_parquet(path, glob=False)).partition_by("run_id", maintain_order=True)


def arguments() -> argparse.Namespace:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("what", choices=(*HALVES, "coverage", "stability"))
    ask.add_argument("--runs", type=int, default=40)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--only", nargs="+", default=(), metavar="FAMILY")
    ask.add_argument("--wrong", action="store_true")
    ask.add_argument("--points", type=Path, metavar="FILE")
    return ask.parse_args()


if __name__ == "__main__":
    told = arguments()
    what = {"coverage": coverage, "stability": stability}.get(told.what, evaluation)
    for line in what(told, range(told.seed, told.seed + told.runs)):
        print(line, flush=True)
