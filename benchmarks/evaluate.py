"""How the engine does on laboratories drawn at random: markdown tables on stdout.

python benchmarks/evaluate.py WHAT [--runs 40] [--seed 0] [--only FAMILY ...] [...]

WHAT is one of
- a half of the laboratory, `development` or `unseen`; --wrong lists each run that is not right, --plain calls
  accuracies and losses by names that are read for sure;
- `coverage`: how often 95 % intervals hold the truth, by kind (--runs 2000);
- `stability`: how many patterns change with the way of logging, on the development half or on the runs of
  FILE, a Parquet of points;
- `live`: how late alarms come and how many are false, beside CUSUM and ADWIN.
"""

import argparse
import importlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import detect_live
import numpy as np
import polars as pl

from grokscope.schemas import Verdict, as_points
from grokscope.transitions.evaluation.laboratory.development.coverage import KINDS, QUIET
from grokscope.transitions.evaluation.laboratory.development.parts.scores import ACCURACIES, LOSSES
from grokscope.transitions.evaluation.laboratory.family import Family
from grokscope.transitions.evaluation.laboratory.judging import drawn, engine, judged
from grokscope.transitions.evaluation.laboratory.stability import CHANGES, flips
from grokscope.transitions.evaluation.laboratory.tables import by_family, by_kind, share, summary, wrong_runs

LABORATORY = "grokscope.transitions.evaluation.laboratory"
PLAIN = {
    name: plain
    for quantity, pairs in (("accuracy", ACCURACIES), ("loss", LOSSES))
    for pair in pairs
    for name, plain in zip(pair, (f"train/{quantity}", f"test/{quantity}"), strict=True)
}
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
    families = chosen(families_of(told.what), told.only)
    judgements = list(judged(families, seeds=seeds, oracle=under_plain_names if told.plain else engine))
    if told.wrong:
        yield from wrong_runs(judgements)
    yield from by_family(judgements)
    yield ""
    yield from summary(judgements)


def under_plain_names(points: pl.DataFrame) -> Verdict | None:
    return engine(points.with_columns(pl.col("metric").replace(PLAIN)))


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


def live(told: argparse.Namespace, seeds: range) -> Iterator[str]:
    risen = [drawn(family, seed) for family in chosen(KINDS, told.only) for seed in seeds]
    quiet = {family.name: [drawn(family, seed) for seed in seeds] for family in QUIET}
    heads = [*(f"false, {name}" for name in quiet), "too early", "found", "delay, evaluations", "90 %"]
    yield f"| live alarm | {' | '.join(heads)} |"
    yield f"|---|{'---|' * len(heads)}"
    for name, alarm in detect_live.alarms().items():
        false = [share(alarm(detect_live.fed(r.points)) is not None for r in runs) for runs in quiet.values()]
        fed = [(detect_live.fed(run.points), run.truth.onset) for run in risen]
        delays = [detect_live.delay_of(alarm, run, onset=onset) for run, onset in fed]
        late = [delay for delay in delays if delay is not None and delay >= 0]
        early = share(delay is not None and delay < 0 for delay in delays)
        found = share(delay is not None and delay >= 0 for delay in delays)
        half, most = np.quantile(late, (0.5, 0.9))
        yield f"| {name} | {' | '.join(false)} | {early} | {found} | {half:.0f} | {most:.0f} |"


def arguments() -> argparse.Namespace:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("what", choices=(*HALVES, "coverage", "stability", "live"))
    ask.add_argument("--runs", type=int, default=40)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--only", nargs="+", default=(), metavar="FAMILY")
    ask.add_argument("--wrong", action="store_true")
    ask.add_argument("--plain", action="store_true")
    ask.add_argument("--points", type=Path, metavar="FILE")
    return ask.parse_args()


if __name__ == "__main__":
    told = arguments()
    what = {"coverage": coverage, "stability": stability, "live": live}.get(told.what, evaluation)
    for line in what(told, range(told.seed, told.seed + told.runs)):
        print(line, flush=True)
