"""Two laws of the delay from the weight norm, with their premises: ``laws.py STORE EXPERIMENT``."""

import argparse
from dataclasses import dataclass

import polars as pl
from reading import Study, study

from grokscope.cli.terminal import say, say_table
from grokscope.interventions.estimate import Estimate
from grokscope.interventions.laws.contraction import Window, contraction
from grokscope.interventions.laws.delay import delays
from grokscope.interventions.laws.norm_laws import (
    FirstPassage,
    NormSeparation,
    Rates,
    first_passage,
    norm_separation,
)
from grokscope.interventions.laws.premise import Premise
from grokscope.interventions.outcomes.costs import costs_of
from grokscope.interventions.outcomes.target import Target

RATES = Rates(learning_rate="lr", weight_decay="weight_decay")
_PARAMS = {
    "lr": "intervention.protocol.lr",
    "weight_decay": "intervention.regularization.weight_decay",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Laws:
    """Both laws of some runs.

    Attributes:
        delays: ``DELAYS`` with the rates of each run.
        judged: ``CONTRACTION``: whether the norm of each run contracts, and why not.
        separation: T = c log(V_mem / V_post) / (η λ).
        passage: T = log(V_mem / V*) / (2 κ η λ).
    """

    delays: pl.DataFrame
    judged: pl.DataFrame
    separation: NormSeparation
    passage: FirstPassage


def laws(found: Study, *, generalized: str = "test/accuracy>=0.9", memorized: str) -> Laws:
    """Return both laws; the delay runs from the target ``memorized`` to the target ``generalized``."""
    curves = found.observed.curves
    end = costs_of(curves, Target.parse(generalized, sustained=True))
    begin = costs_of(curves, Target.parse(memorized, sustained=True))
    judged = contraction(curves, Window(memorized=begin, generalized=end))
    params = found.observed.runs.select("run_id", **{name: pl.col(own) for name, own in _PARAMS.items()})
    waited = delays(end, begin).join(params.cast(dict.fromkeys(_PARAMS, pl.Float64)), on="run_id")
    return Laws(
        delays=waited,
        judged=judged,
        separation=norm_separation(waited, judged, RATES),
        passage=first_passage(waited, judged, RATES),
    )


def main() -> None:
    """Print both laws of one experiment."""
    parser = argparse.ArgumentParser(description="Two laws of the delay from the weight norm.")
    parser.add_argument("store")
    parser.add_argument("experiment")
    parser.add_argument("--generalized", default="test/accuracy>=0.9")
    parser.add_argument("--memorized", default="train/accuracy>=0.99")
    asked = parser.parse_args()
    told = laws(
        study(asked.store, asked.experiment), generalized=asked.generalized, memorized=asked.memorized
    )
    why = told.judged.with_columns(pl.col("missing").str.replace(r"-?[\d.]+", "…").fill_null("it contracts"))
    counts = why.group_by("missing").len().sort("len", "missing", descending=[True, False])
    say_table(("the norm between memorization and generalization", "runs"),
              [(name, str(count)) for name, count in counts.iter_rows()], numbers=("runs",))  # fmt: skip
    _say("first passage", told.passage.premises, {"κ": told.passage.kappa, "V*": told.passage.critical})
    found = {"c": told.separation.constant, "exponent": told.separation.exponent}
    _say("norm separation", told.separation.premises, found)
    if told.separation.kappa is not None:
        say(f"  κ from the slopes of log V themselves, median: {told.separation.kappa:.3g}")


def _say(law: str, premises: tuple[Premise, ...], numbers: dict[str, Estimate]) -> None:
    say("")
    say(law)
    for one in premises:
        say(f"  {'holds' if one.holds else 'fails'}: {one.sentence}")
    for name, one in numbers.items():
        low, high = ("…" if end is None else f"{end:.3g}" for end in (one.low, one.high))
        say(f"  {name}: {'none' if one.value is None else f'{one.value:.3g} [{low}, {high}]'}")


if __name__ == "__main__":
    main()
