"""How the engine does on laboratories drawn at random: a markdown table on stdout.

python benchmarks/evaluate.py HALF [--runs 40] [--seed 0] [--only FAMILY ...] [--wrong]

HALF is `development` or `unseen`: every family gives --runs runs; --wrong lists each run that is not right.
"""

import argparse
import importlib
from collections.abc import Iterator, Sequence

from grokscope.transitions.evaluation.laboratory.family import Family
from grokscope.transitions.evaluation.laboratory.judging import judged
from grokscope.transitions.evaluation.laboratory.tables import by_family, summary, wrong_runs

LABORATORY = "grokscope.transitions.evaluation.laboratory"
HALVES = ("development", "unseen")


def families_of(half: str, only: Sequence[str]) -> list[Family]:
    families = importlib.import_module(f"{LABORATORY}.{half}.families").FAMILIES
    unknown = set(only) - {family.name for family in families}
    if unknown:
        raise SystemExit(
            f"no family {', '.join(sorted(unknown))}; there are {', '.join(f.name for f in families)}"
        )
    return [family for family in families if not only or family.name in only]


def evaluation(told: argparse.Namespace) -> Iterator[str]:
    seeds = range(told.seed, told.seed + told.runs)
    judgements = list(judged(families_of(told.what, told.only), seeds=seeds))
    if told.wrong:
        yield from wrong_runs(judgements)
    yield from by_family(judgements)
    yield ""
    yield from summary(judgements)


def arguments() -> argparse.Namespace:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("what", choices=HALVES)
    ask.add_argument("--runs", type=int, default=40)
    ask.add_argument("--seed", type=int, default=0)
    ask.add_argument("--only", nargs="+", default=(), metavar="FAMILY")
    ask.add_argument("--wrong", action="store_true")
    return ask.parse_args()


if __name__ == "__main__":
    for line in evaluation(arguments()):
        print(line, flush=True)
