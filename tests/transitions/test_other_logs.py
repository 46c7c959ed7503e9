"""What other people's logs do to a curve does not change what is said of it."""

import numpy as np
import polars as pl
import pytest

from grokscope.schemas import Kind, Pattern
from grokscope.transitions import detect
from grokscope.transitions.evaluation.synthetic import CurveRecipe, Spacing, synthetic_run

STEPS = np.unique(np.geomspace(1, 20_000, 400).round().astype(int))


def run_of(train: np.ndarray, test: np.ndarray) -> pl.DataFrame:
    frames = [
        pl.DataFrame({"metric": name, "step": STEPS[: len(values)], "value": values})
        for name, values in (("train/accuracy", train), ("test/accuracy", test))
    ]
    return pl.concat(frames)


def rise(at: float, decades: float = 0.2) -> np.ndarray:
    return 1 / (1 + np.exp(-np.log(STEPS / at) / (decades * np.log(10) / 4.4)))


def losses(values: np.ndarray) -> list[int]:
    points = pl.DataFrame({"metric": "val/loss", "step": STEPS, "value": values})
    return [e.step for e in detect(points)[0].transitions if e.kind is Kind.PHASE_CHANGE]


def test_all_accuracies_of_a_run_are_per_cent_if_one_is():
    points = synthetic_run(CurveRecipe(midpoint=None, noise=0.003))
    verdict = detect(points.with_columns(pl.col("value") * 100))[0]
    assert verdict.pattern is Pattern.MEMORIZATION
    assert verdict.transitions[-1].kind is Kind.MEMORIZATION


def test_a_run_whose_steps_are_fractions_says_that_its_dates_are_in_thousandths():
    plain, other = synthetic_run(CurveRecipe(), run_id="plain"), synthetic_run(CurveRecipe(), run_id="epochs")
    verdicts = detect(
        pl.concat([plain.cast({"step": pl.Float64}), other.with_columns(pl.col("step") / 1000)])
    )
    epochs, whole = verdicts
    assert epochs.onset == whole.onset
    said = "Its steps are fractions; they and all dates are counted in thousandths."
    assert (epochs.missing, said in whole.missing) == ((*whole.missing, said), False)


def test_a_log_that_begins_fit_and_stays_flat_is_memorization():
    recipe = CurveRecipe(midpoint=None, spacing=Spacing.LINEAR, plateau=0.3, noise=0.01, evaluations=60)
    late = synthetic_run(recipe).filter(pl.col("step") > 1000)
    assert detect(late)[0].pattern is Pattern.MEMORIZATION


@pytest.mark.parametrize(("end", "pattern"), [(0.3, Pattern.COLLAPSE), (0.85, Pattern.GROKKING)])
def test_a_level_short_of_completion_can_be_lost_too(end: float, pattern: Pattern):
    test = 0.1 + 0.77 * rise(1000) - (0.87 - end) * rise(6000)
    assert detect(run_of(rise(50), test))[0].pattern is pattern


@pytest.mark.parametrize(("share", "pattern"), [(0.2, Pattern.COLLAPSE), (0.04, Pattern.GROKKING)])
def test_dips_count_by_how_often_they_come_however_deep_they_are(share: float, pattern: Pattern):
    rng = np.random.default_rng(0)
    test = rise(500)
    hit = (STEPS > 1500) & (rng.random(len(STEPS)) < share)
    test[hit] *= rng.uniform(0.5, 0.79, hit.sum())
    assert detect(run_of(rise(50), test))[0].pattern is pattern


def test_a_rise_that_the_log_has_only_just_seen_did_not_fall_back():
    test = np.concatenate((np.full(9, 0.02), [0.3, 0.6]))
    verdict = detect(run_of(np.ones(11) * np.append(0.5, np.ones(10)), test))[0]
    assert verdict.missing[-1].endswith("has only just come to 0.60: too few evaluations to call it a rise.")


def test_a_loss_that_rests_and_drops_changes_phase_under_noise():
    noise = np.random.default_rng(0).normal(0, 0.02, len(STEPS))
    (step,) = losses(3 + 5 * np.exp(-STEPS / 50) - 0.6 * rise(4000, 0.15) + noise)
    assert 2500 <= step <= 4500


@pytest.mark.parametrize(
    "loss",
    [
        2.5 + 8 * (1 + STEPS / 80) ** -0.45,
        np.where(STEPS < 600, 10.8 - 3.5 * (STEPS / 600) ** 2, 2.6 + 4.7 * (STEPS / 600.0) ** -0.35),
        0.3 + 1.8 * np.exp(-STEPS / 1000),
    ],
    ids=["power law", "warm-up knee", "exponential"],
)
def test_a_loss_that_leaves_its_first_value_as_slowly_as_it_waited_changes_no_phase(loss: np.ndarray):
    assert losses(loss) == []


def test_a_phase_change_names_the_curve_as_it_was_logged():
    points = pl.DataFrame({"metric": "lambada_openai/acc", "step": STEPS, "value": 0.6 * rise(1000)})
    assert [event.metric for event in detect(points)[0].transitions] == ["lambada_openai/acc"]


def test_in_a_run_of_losses_each_of_them_dates_its_phase_change():
    drop = 3.4 - 3.3 * rise(4000, 0.1)
    frames = [pl.DataFrame({"metric": f"{s}/loss", "step": STEPS, "value": drop}) for s in ("train", "val")]
    assert [e.metric for e in detect(pl.concat(frames))[0].transitions] == ["train/loss", "val/loss"]


@pytest.mark.parametrize("scale", [1, 100])
def test_without_a_test_set_a_run_is_judged_by_its_first_shifted_set_or_task(scale: int):
    points = synthetic_run(CurveRecipe(evaluations=200, noise=0.003)).with_columns(pl.col("value") * scale)
    usual = detect(points)[0]
    for name in ("shift:far/accuracy", "arc_easy/acc"):
        verdict = detect(points.with_columns(pl.col("metric").replace("test/accuracy", name)))[0]
        assert (verdict.pattern, verdict.onset) == (Pattern.GROKKING, usual.onset)
        assert [event.metric for event in verdict.transitions] == ["train/accuracy", name]
