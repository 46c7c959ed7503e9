"""Units of scores between 0 and 1: told by whole curves and their partners."""

import numpy as np
import pytest

from grokscope.transitions.curves.series import Curve
from grokscope.transitions.curves.units import Unit, units_of

STEPS = np.arange(100)
RISE = 1 / (1 + np.exp(-(STEPS - 50) / 5))
RNG = np.random.default_rng(0)
FLAT = 1 + 0.1 * RNG.standard_normal(100)


def units(**values: np.ndarray) -> list[str]:
    named = {name.replace("__", "/"): curve for name, curve in values.items()}
    curves = {n: Curve(metric=n, steps=STEPS[: len(v)], values=v) for n, v in named.items()}
    found = units_of(curves)
    return [found[name].value for name in named]


@pytest.mark.parametrize(
    ("train", "test", "told"),
    [
        (RISE, 0.01 * FLAT, "share,share"),
        (100 * RISE, 100 * RISE, "per cent,per cent"),
        (100 * RISE, np.where(STEPS == 99, 1.001, 0.01 + 0.98 * RISE), "per cent,share"),
        (100 * RISE, FLAT, "per cent,per cent"),
        (0.9 + 99 * RISE, 0.88 * np.ones(100), "per cent,per cent"),
        (0.9 + 99 * RISE, 0.009 * FLAT, "per cent,share"),
        (50 + 50 * RISE, 0.05 * FLAT + 0.5, "per cent,share"),
        (100 * RISE, 0.01 + 0.98 * RISE, "per cent,share"),
        (FLAT, FLAT, "per cent,per cent"),
        (np.ones(100), 9 + 87 * RISE, "share,per cent"),
        (60_000 * RISE, RISE, "count,share"),
    ],
)
def test_units_are_told_by_the_whole_curve_and_by_its_partner(train, test, told):
    assert ",".join(units(train__accuracy=train, test__accuracy=test)) == told


def test_one_glitch_does_not_turn_a_share_into_per_cent():
    assert units(test__accuracy=np.where(STEPS == 70, 37.0, RISE)) == [Unit.SHARE]


def test_an_error_rate_in_per_cent_is_told_from_its_height():
    assert units(train__error=100 * (1 - RISE), test__error=99 * np.ones(100)) == ["per cent", "per cent"]


def test_a_loss_and_a_score_of_another_quantity_have_no_say():
    assert units(train__accuracy=100 * RISE, test__f1=0.9 * RISE) == ["per cent", "share"]
    assert units_of({"train/loss": Curve(metric="train/loss", steps=STEPS, values=9 * RISE)}) == {}


@pytest.mark.parametrize(("highest", "told"), [(49.5, "per cent"), (50.0, "share")])
def test_a_training_score_below_1_is_a_share_where_its_partner_comes_to_half(highest: float, told: str):
    test = np.linspace(1.0, highest, 100)
    assert units(train__accuracy=0.9 * np.ones(100), test__accuracy=test)[0] == told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (np.linspace(0.9, 0.2, 100), "share"),
        (np.linspace(0.9, 0.8, 100), "per cent"),
        (np.linspace(0.4, 0.1, 100), "per cent"),
    ],
)
def test_an_error_beside_per_cent_is_a_share_if_it_begins_above_a_half_and_halves(error, told: str):
    assert units(train__error=100 * (1 - RISE), test__error=error) == ["per cent", told]
