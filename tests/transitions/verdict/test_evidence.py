"""Is it really grokking? Each check passes, fails and cannot tell where it should."""

import numpy as np
import polars as pl
import pytest

from grokscope.schemas import Check, Kind, Outcome, Pattern
from grokscope.transitions import detect
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run

CHECKS = [
    "train fit sustained",
    "plateau before",
    "delayed",
    "no recovery",
    "lead",
    "no artefact",
    "stays",
    "stages",
]
RUN = synthetic_run(CurveRecipe(evaluations=300, noise=0.003))


def evidence(points: pl.DataFrame) -> dict[str, Check]:
    events = [e for e in detect(points)[0].transitions if e.kind is Kind.GENERALIZATION]
    return {check.name: check for check in events[0].evidence}


def outcome(points: pl.DataFrame, check: str) -> Outcome | None:
    return evidence(points)[check].outcome


def changed(metric: str, since: int, until: int, value: float) -> pl.DataFrame:
    there = (pl.col("metric") == metric) & pl.col("step").is_between(since, until)
    return RUN.with_columns(value=pl.when(there).then(value).otherwise(pl.col("value")))


def beside(metric: str, of_accuracy) -> pl.DataFrame:
    accuracy = RUN.filter(pl.col("metric") == "test/accuracy")
    values = of_accuracy(accuracy["step"].to_numpy().astype(float), accuracy["value"].to_numpy())
    return pl.concat([RUN, accuracy.with_columns(metric=pl.lit(metric), value=pl.Series(values))])


def test_every_generalization_carries_every_check_with_a_outcome():
    found = evidence(RUN)
    assert list(found) == CHECKS
    assert {check.outcome for check in found.values()} <= set(Outcome)


def test_textbook_grokking_passes_all_that_accuracies_can_tell():
    found = {name: check.outcome for name, check in evidence(RUN).items()}
    unknown = dict.fromkeys(("lead", "no artefact"), Outcome.UNKNOWN)
    assert found == dict.fromkeys(CHECKS, Outcome.PASS) | unknown


def test_a_train_set_that_is_lost_again_is_not_sustained():
    assert outcome(changed("train/accuracy", 4000, 9000, 0.3), "train fit sustained") is Outcome.FAIL


def test_an_early_high_makes_the_rise_a_recovery():
    assert outcome(changed("test/accuracy", 5, 100, 0.9), "no recovery") is Outcome.FAIL


def test_a_rise_with_the_train_fit_is_not_delayed():
    points = synthetic_run(CurveRecipe(evaluations=300, midpoint=80.0, width=0.2))
    assert outcome(points, "delayed") is Outcome.FAIL


def test_dips_since_completion_are_counted():
    stays = evidence(changed("test/accuracy", 9000, 9600, 0.1))["stays"]
    assert stays == Check.of("stays", "1 dip below 0.80 since", holds=False)


@pytest.mark.parametrize(("factor", "expected"), [(0.5, Outcome.PASS), (2.0, Outcome.FAIL)])
def test_a_log_probability_leads_if_it_leaves_its_plateau_first(factor: float, expected: Outcome):
    def shifted(steps, _values):
        return -4.0 + 4.0 / (1 + (3000 * factor / np.maximum(steps, 1)) ** 6)

    assert outcome(beside("test/log_probability_q50", shifted), "lead") is expected


def test_accuracy_that_jumps_while_log_probability_improves_smoothly_is_an_artefact():
    points = beside("test/log_probability_q50", lambda steps, _: -10 + np.log(np.maximum(steps, 1)))
    assert outcome(points, "no artefact") is Outcome.FAIL


def test_a_loss_that_falls_with_the_rise_is_no_artefact():
    points = beside("test/loss", lambda _, accuracy: 5.0 * (1 - accuracy))
    assert outcome(points, "no artefact") is Outcome.PASS


def test_a_rise_that_rests_half_way_has_two_stages():
    steps = np.unique(np.round(np.geomspace(1, 50_000, 400)).astype(int))
    test = 0.45 / (1 + (800 / steps) ** 12) + 0.55 / (1 + (9000 / steps) ** 12)
    train = 1 / (1 + (40 / steps) ** 8)
    points = pl.concat(
        pl.DataFrame({"metric": name, "step": steps, "value": values})
        for name, values in (("train/accuracy", train), ("test/accuracy", test))
    )
    stages = evidence(points)["stages"]
    assert stages.outcome is Outcome.PASS
    assert stages.text.startswith("2 rises, resting at 0.45 from step ")


@pytest.mark.parametrize("width", [0.1, 0.3, 0.8])
def test_one_s_curve_is_one_stage(width: float):
    stages = evidence(synthetic_run(CurveRecipe(evaluations=300, width=width)))["stages"]
    assert stages == Check.of("stages", "one rise", holds=True)


@pytest.mark.parametrize("midpoint", [110.0, 200.0, 400.0, 900.0])
def test_grokking_is_claimed_exactly_where_its_own_check_says_that_the_rise_was_late(midpoint: float):
    points = synthetic_run(CurveRecipe(evaluations=300, midpoint=midpoint, width=0.2))
    is_claimed = detect(points)[0].pattern is Pattern.GROKKING
    assert outcome(points, "delayed") is (Outcome.PASS if is_claimed else Outcome.FAIL)
