"""Intervals on the kinds of curves that are hardest to be honest on."""

import numpy as np
import pytest

from grokscope.transitions.curves.intervals import dated
from grokscope.transitions.curves.plateau import Plateau
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.evaluation.laboratory.development.coverage import KINDS
from grokscope.transitions.evaluation.laboratory.judging import judged

RUNS = 60


@pytest.mark.parametrize("kind", ["AR(1) .95", "creep"])
def test_intervals_hold_the_truth_on_hard_kinds(kind: str):
    """A true coverage of 93 % gives less than 43 of 60 with a probability of one in ten million."""
    family = next(family for family in KINDS if family.name == kind)
    found = list(judged([family], seeds=range(RUNS)))
    assert sum(j.covers_onset is True for j in found) >= 43
    assert sum(j.covers_midpoint is True for j in found) >= 43


def dates_of(values: np.ndarray, plateau: Plateau, *, end: int):
    curve = Curve(metric="test/accuracy", steps=np.arange(len(values)) * 10, values=values)
    onset, midpoint = dated(curve, plateau=plateau, top=1.0, window=slice(0, end))
    assert onset is not None
    assert midpoint is not None
    return onset.date, midpoint.date


RISE = np.concatenate((np.zeros(60), np.linspace(0.0, 1.0, 21), np.ones(60)))


def test_without_noise_a_date_is_the_gap_that_it_was_seen_in():
    onset, midpoint = dates_of(RISE, Plateau(level=0.0, lowest=0.0), end=85)
    assert (onset.low, onset.high) == (610, 630)
    assert (midpoint.low, midpoint.high) == (690, 710)


def test_a_dip_on_the_way_up_leaves_the_date_without_it_in_the_interval():
    values = RISE.copy()
    values[71:75] = 0.0
    _, midpoint = dates_of(values, Plateau(level=0.0, lowest=0.0), end=85)
    assert midpoint.low <= 700 <= midpoint.high


@pytest.mark.parametrize("lowest", [0.0, 0.3])
def test_an_onset_may_be_as_early_as_the_lowest_plateau_or_its_first_evaluations_have_it(lowest: float):
    onset, _ = dates_of(RISE, Plateau(level=0.3, lowest=lowest), end=85)
    assert onset.step > 640
    assert onset.low <= 620


def test_a_top_that_still_rises_at_the_end_of_the_log_makes_the_midpoint_later():
    values = np.concatenate((RISE[:81], np.linspace(1.0, 1.2, 60)))
    _, midpoint = dates_of(values, Plateau(level=0.0, lowest=0.0), end=85)
    assert midpoint.high >= 720


def test_a_rise_from_the_second_evaluation_on_has_no_plateau_that_could_lie_lower():
    onset, _ = dates_of(np.linspace(0.0, 1.0, 21), Plateau(level=0.0, lowest=0.0), end=21)
    assert (onset.low, onset.step) == (10, 20)
