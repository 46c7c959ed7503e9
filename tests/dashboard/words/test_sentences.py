"""What is said of a run holds for its own curves: ordinary training is not told as failed grokking."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from grokscope.dashboard.state.phases import Phase, phase_of
from grokscope.dashboard.tables.training_ends import training_ends
from grokscope.dashboard.words.dates import DATES
from grokscope.dashboard.words.patterns import PATTERN_WORDS, headline_of
from grokscope.dashboard.words.sentences import TrainingEnd, note, sentence
from grokscope.dashboard.words.withdrawals import why_withdrawn
from grokscope.schemas import CurveOutcome, Date, Delay, Kind, Pattern, Status, Transition, Verdict
from grokscope.transitions import detect
from grokscope.transitions.live.suspicion import E_PROCESS

ROOT = Path(__file__).parents[3]
DATE = Date(step=100, low=90, high=110)
TRAIN = {"val/loss": TrainingEnd(metric="train/loss", level=0.2, is_same_score=True)}


def event(kind, metric="val/loss", **more):
    return Transition(run_id="r", metric=metric, kind=kind, step=100, low=90, high=110, **more)


def verdict(pattern, *events, metric="val/loss", level=0.5, best=0.5, **more):
    outcome = CurveOutcome(metric=metric, split="val", pattern=pattern, level=level, best=best)
    return Verdict(run="r", pattern=pattern, outcomes=[outcome], transitions=events, **more)


def docs():
    return " ".join((ROOT / "docs" / "detection.md").read_text("utf-8").split())


@pytest.mark.parametrize("pattern", Pattern)
def test_every_pattern_has_words_of_its_own_and_they_stand_in_the_docs(pattern):
    words = PATTERN_WORDS[pattern]
    for part in ("term", "plain", "sentence"):
        assert len({getattr(row, part) for row in PATTERN_WORDS.values()}) == len(Pattern)
    assert words.term.lower() == pattern.value
    assert f"| {pattern} | {words.plain} | {words.sentence} |" in docs()


@pytest.mark.parametrize("name", DATES)
def test_every_date_has_one_name_and_it_stands_in_the_docs(name):
    assert f"| {name} | `{DATES[name].field}` | {DATES[name].sentence} |" in docs()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            verdict(Pattern.COMPREHENSION, onset=DATE, midpoint=DATE),
            (
                "val/loss fell together with train/loss, to 0.5 (train/loss 0.2, gap 0.3). "
                "Onset at step 100 [90, 110], midpoint 100 [90, 110]."
            ),
        ),
        (
            verdict(Pattern.COMPREHENSION, event(Kind.OVERFITTING, before=0.3, after=0.5), best=0.3),
            (
                "val/loss fell together with train/loss, to 0.3. "
                "Overfitting: val/loss since step 100 [90, 110], 0.3 at best, 0.5 in the end."
            ),
        ),
        (
            verdict(Pattern.MEMORIZATION, memorized=DATE),
            (
                "The training set was fit by step 100 [90, 110] (train/loss). "
                "val/loss did not move clearly from where it began (0.5 in the end)."
            ),
        ),
        (
            verdict(Pattern.CONFUSION),
            "Neither train/loss nor val/loss left where it began (0.5 in the end).",
        ),
        (
            verdict(Pattern.GROKKING, midpoint=DATE, delay=Delay(steps=90, ratio=10.0), in_progress=True),
            (
                "val/loss fell clearly later, to 0.5 (train/loss 0.2, gap 0.3). "
                "Midpoint at step 100 [90, 110]; it goes on at the end of the log. "
                "The midpoint came 90 steps after the fit, 10.0× its step."
            ),
        ),
        (
            verdict(Pattern.COLLAPSE, event(Kind.COLLAPSE, before=0.2, after=2.3)),
            "Lost from step 100 [90, 110] on: val/loss went from 0.2 to 2.3.",
        ),
        (
            verdict(Pattern.OTHER, event(Kind.DIVERGENCE), missing=["It is short."]),
            "val/loss was 0.5 at best; it diverged: it is no number from step 100 [90, 110] on.",
        ),
        (
            verdict(
                Pattern.OTHER, event(Kind.DIVERGENCE, "train/loss"), level=None, missing=["It is short."]
            ),
            (
                "val/loss was 0.5 at best; then train/loss diverged: "
                "it is no number from step 100 [90, 110] on."
            ),
        ),
        (
            verdict(Pattern.CONFUSION, event(Kind.DIVERGENCE)),
            (
                "Neither train/loss nor val/loss left where it began (0.5 in the end). "
                "val/loss diverged: it is no number from step 100 [90, 110] on."
            ),
        ),
    ],
)
def test_a_run_is_told_by_the_names_levels_and_dates_of_its_own_curves(found, said):
    assert sentence(found, trained=TRAIN) == said


def test_a_verdict_without_outcomes_names_no_curve_that_it_does_not_know():
    said = {pattern: sentence(Verdict(run="r", pattern=pattern)) for pattern in Pattern}
    assert all(said.values())
    assert not any("accuracy" in one for one in said.values())


def test_the_thirty_ordinary_trainings_are_told_by_their_own_curves():
    points = pl.read_parquet(ROOT / "tests" / "data" / "ordinary.parquet")
    owners = json.loads((ROOT / "tests" / "data" / "ordinary.json").read_text("utf-8"))
    ends = training_ends(points)
    for found in detect(points):
        said = sentence(found, trained=ends[found.run])
        if found.pattern is not Pattern.OTHER:
            assert found.outcomes[0].metric in said
            assert ends[found.run][found.outcomes[0].metric].metric in said
        has_overfit = any(event.kind is Kind.OVERFITTING for event in found.transitions)
        assert ("Overfitting" in said) == has_overfit, owners[found.run]["happened"]


def test_a_run_that_learned_and_then_diverged_is_told_so_and_not_as_one_that_was_never_fit():
    points = pl.read_parquet(ROOT / "tests" / "data" / "ordinary.parquet")
    mine = points.filter(pl.col("run") == "sines_diverged")
    (found,), ends = detect(mine), training_ends(mine)["sines_diverged"]
    assert headline_of(found) == "Other (diverged)"
    assert phase_of(found) is Phase.DIVERGED
    said = (
        "val/mae fell from 6.25 to 1.57 at best; then val/loss diverged: "
        "it is no number from step 255 [250, 255] on."
    )
    assert (sentence(found, trained=ends), note(found, trained=ends)) == (said, said)
    assert why_withdrawn(event(Kind.DIP), verdict=replace(found, missing=())) == (
        "the run now reads as other (diverged)"
    )


@pytest.mark.parametrize("best", [2.0, 2.5])
def test_a_run_that_only_diverged_is_not_said_to_have_learned(best):
    first = TrainingEnd(metric="train/loss", level=9.0, is_same_score=True, held_out_first=2.0)
    found = verdict(Pattern.OTHER, event(Kind.DIVERGENCE), best=best, level=1e30)
    assert sentence(found, trained={"val/loss": first}) == (
        "val/loss diverged: it is no number from step 100 [90, 110] on. "
        "val/loss was never better than at first (2)."
    )


def test_the_levels_of_overfitting_are_those_that_are_said_of_the_curve_elsewhere():
    worse = event(Kind.OVERFITTING, before=0.31, after=0.52)
    other = event(Kind.OVERFITTING, "val/mse", before=0.1, after=0.2)
    said = sentence(verdict(Pattern.COMPREHENSION, worse, other, best=0.3, level=0.5), trained=TRAIN)
    assert "val/loss since step 100 [90, 110], 0.3 at best, 0.5 in the end; val/mse since" in said
    assert said.endswith("0.1 at best, 0.2 in the end.")


def test_phase_changes_are_told_whatever_the_pattern_is_and_only_those_that_are_sure():
    levels = {"before": 0.0, "after": 0.55}
    found = Verdict(
        run="r",
        pattern=Pattern.OTHER,
        missing=["No training curve was logged beside it."],
        transitions=[
            event(Kind.PHASE_CHANGE, "lambada/acc", **levels),
            event(Kind.PHASE_CHANGE, "piqa/acc", status=Status.SUSPECTED, **levels),
        ],
    )
    why = "No training curve was logged beside it."
    assert note(found) == f"{why} Phase change: lambada/acc at step 100."
    assert sentence(found) == f"{why} Phase change: lambada/acc at step 100 [90, 110], from 0 to 0.55."


def test_why_a_run_is_not_judged_is_cut_at_a_clause():
    long = f"Only losses tell of this run, and how low they could go is not known: {'a' * 90}."
    found = Verdict(run="r", pattern=Pattern.OTHER, missing=[long])
    assert note(found) == "Only losses tell of this run, and how low they could go is not known."


@pytest.mark.parametrize(
    ("told", "finding", "now", "why"),
    [
        ({}, "its past has changed", None, "its past has changed"),
        ({"definition": E_PROCESS}, "", None, "no rise has followed"),
        ({}, "", verdict(Pattern.MEMORIZATION), "the run now reads as memorization (fit only)"),
        (
            {},
            "",
            verdict(Pattern.MEMORIZATION, missing=["val/loss came to 0.2 and went back to 0.5."]),
            "val/loss came to 0.2 and went back to 0.5",
        ),
        (
            {},
            "",
            verdict(Pattern.COMPREHENSION, event(Kind.OVERFITTING)),
            "overfitting of val/loss at step 100 stands instead",
        ),
    ],
)
def test_what_is_withdrawn_says_what_stands_instead(told, finding, now, why):
    assert why_withdrawn(event(Kind.GENERALIZATION, **told), finding=finding, verdict=now) == why
