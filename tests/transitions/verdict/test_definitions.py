"""The grokking step by other people's rules, and how far the answers lie apart."""

import numpy as np
import polars as pl
import pytest

from grokscope.transitions import DEFINITIONS, UnknownDefinitionError, detect, sensitivity
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run

RUN = CurveRecipe(evaluations=400, width=0.6)


def closed_form(share: float) -> float:
    """Step at which a logistic rise is done to ``share``."""
    scale = RUN.width * np.log(10) / (2 * np.log(9))
    return 3000.0 * (share / (1 - share)) ** scale


@pytest.mark.parametrize(
    ("name", "share"), [("s-curve", 0.5), ("threshold-0.9", 0.9), ("threshold-0.95", 0.95)]
)
def test_each_level_is_dated_by_its_closed_form(name: str, share: float):
    verdict = detect(synthetic_run(RUN), definition=name)[0]
    assert verdict.definition == name
    assert verdict.midpoint is not None
    assert verdict.midpoint.step == pytest.approx(closed_form(share), rel=0.03)
    assert verdict.midpoint.low <= closed_form(share) <= verdict.midpoint.high


def test_the_definition_changes_the_date_and_not_the_pattern():
    verdicts = [detect(synthetic_run(RUN), definition=name)[0] for name in DEFINITIONS]
    assert {verdict.pattern.value for verdict in verdicts} == {"grokking"}
    assert len({verdict.midpoint for verdict in verdicts}) > 1


def test_a_name_that_is_no_definition_names_the_closest():
    with pytest.raises(UnknownDefinitionError, match=r"'threshold-0\.99' is no .* closest: 'threshold-0\.9'"):
        detect(synthetic_run(RUN), definition="threshold-0.99")


def test_sensitivity_has_a_row_for_every_run_and_definition():
    frame = pl.concat([synthetic_run(RUN, run_id=name) for name in ("b", "a")])
    report = sensitivity(frame)
    assert report.select("run_id", "definition").rows() == [(r, d) for r in ("a", "b") for d in DEFINITIONS]


def test_a_steep_rise_is_dated_alike_and_a_slow_one_is_not():
    steep = sensitivity(synthetic_run(CurveRecipe(evaluations=400, width=0.1)))
    slow = sensitivity(synthetic_run(CurveRecipe(evaluations=400, width=1.0)))
    assert not steep["depends"].any()
    assert slow["depends"].all()


def test_a_run_that_only_memorizes_has_no_grokking_step_under_any_definition():
    report = sensitivity(synthetic_run(CurveRecipe(midpoint=None)))
    assert report["step"].null_count() == len(DEFINITIONS)
    assert not report["depends"].any()


def test_a_run_that_cannot_be_judged_has_no_rows_and_hides_no_other():
    other = pl.DataFrame({"run_id": "a", "metric": "train/loss", "step": [1, 2], "value": [1.0, 0.5]})
    report = sensitivity(pl.concat([other, synthetic_run(RUN, run_id="b").select(other.columns)]))
    assert report["run_id"].unique().to_list() == ["b"]


def test_the_steepest_gain_of_a_rise_that_is_never_done_is_dated_too():
    verdict = detect(synthetic_run(CurveRecipe(evaluations=400, top=0.6)), definition="steepest")[0]
    assert verdict.midpoint is not None
    assert verdict.midpoint.step == pytest.approx(3000, rel=0.1)
