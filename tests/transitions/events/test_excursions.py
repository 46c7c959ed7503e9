"""What was lost and came back: slingshots, recoveries, and the peak between two descents."""

import numpy as np
import polars as pl
import pytest

from grokscope.schemas import Date, Kind, Outcome, Transition
from grokscope.transitions import detect
from grokscope.transitions.curves.series import Curve
from grokscope.transitions.events.excursions import dip_of

STEPS = np.arange(0, 20_000, 50)
RISEN = 1 / (1 + (3000 / np.maximum(STEPS, 1)) ** 12)
FIT = 1 / (1 + (100 / np.maximum(STEPS, 1)) ** 8)


def events(kind: Kind, **curves: np.ndarray) -> list[Transition]:
    frame = pl.concat(
        pl.DataFrame({"metric": name.replace("_", "/"), "step": STEPS, "value": values})
        for name, values in curves.items()
    )
    return [event for event in detect(frame)[0].transitions if event.kind is kind]


def lost(values: np.ndarray, *at: slice, level: float = 0.1) -> np.ndarray:
    values = values.copy()
    for part in at:
        values[part] = level
    return values


def test_falls_of_train_accuracy_that_come_again_and_recover_are_slingshots():
    train = lost(FIT, slice(100, 102), slice(200, 201), slice(300, 303))
    (event,) = events(Kind.SLINGSHOT, train_accuracy=train, test_accuracy=RISEN)
    assert (event.low, event.step, event.high) == (4950, 5000, 5000)
    (check,) = event.evidence
    assert (check.name, check.outcome) == ("cycles", Outcome.PASS)
    assert check.text.startswith("3 falls below 0.80 since step ")


@pytest.mark.parametrize("falls", [[], [slice(100, 102)], [slice(100, 102), slice(200, 400)]])
def test_one_fall_or_a_last_one_that_stays_is_no_slingshot(falls: list[slice]):
    assert events(Kind.SLINGSHOT, train_accuracy=lost(FIT, *falls), test_accuracy=RISEN) == []


def test_a_sustained_loss_that_comes_back_is_a_recovery_dated_where_it_is_back():
    test = lost(RISEN, slice(200, 208))
    (event,) = events(Kind.RECOVERY, train_accuracy=FIT, test_accuracy=test)
    assert (event.low, event.step, event.high) == (STEPS[207], STEPS[208], STEPS[208])
    assert (event.before, event.after) == (0.1, pytest.approx(1.0, abs=1e-3))
    (check,) = event.evidence
    assert (check.name, check.outcome) == ("back", Outcome.PASS)
    assert "after 8 evaluations below" in check.text


@pytest.mark.parametrize("loss", [slice(200, 202), slice(200, 400)])
def test_a_short_dip_and_a_loss_for_good_are_no_recovery(loss: slice):
    assert events(Kind.RECOVERY, train_accuracy=FIT, test_accuracy=lost(RISEN, loss)) == []


def test_a_loss_with_two_valleys_of_which_the_second_is_lower_is_a_double_descent():
    rng = np.random.default_rng(0)
    u = np.log10(STEPS + 50)
    loss = 4 - 1.2 * (u - 1.7) + 1.5 * np.exp(-(((u - 3.0) / 0.15) ** 2)) + rng.normal(0, 0.02, len(u))
    (event,) = events(Kind.DOUBLE_DESCENT, test_loss=loss)
    assert event.low <= 1000 - 50 <= event.high
    assert event.before is not None
    assert event.after is not None
    assert event.after < event.before


@pytest.mark.parametrize("shape", ["falls", "overfits", "spike", "comes back to the first valley", "noise"])
def test_other_losses_are_no_double_descent(shape: str):
    rng = np.random.default_rng(1)
    u = np.log10(STEPS + 50)
    hump = 1.5 * np.exp(-(((u - 3.0) / 0.15) ** 2))
    curves = {
        "falls": 4 - 1.2 * (u - 1.7),
        "overfits": 4 - 1.2 * (u - 1.7) + 3 * np.maximum(u - 3, 0),
        "spike": 4 - 1.2 * (u - 1.7) + 3.0 * (STEPS == 5000),
        "comes back to the first valley": 2.0 + hump,
        "noise": 2.0 + 0 * u,
    }
    assert events(Kind.DOUBLE_DESCENT, test_loss=curves[shape] + rng.normal(0, 0.02, len(u))) == []


def test_a_dip_that_begins_with_the_log_after_generalization_is_dated_there():
    curve = Curve(
        metric="test/accuracy", steps=np.arange(5) * 100, values=np.array([0.1, 0.2, 0.15, 1.0, 1.0])
    )
    dip = dip_of(curve, generalized=Date(step=100, low=0, high=100), level=0.5)
    assert dip is not None
    assert dip.date.step == 100
    assert dip.check.text == "at 0.15 at worst, below 0.50 for 2 evaluations, back at step 300"
