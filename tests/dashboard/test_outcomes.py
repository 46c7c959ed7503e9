"""The held-out curves of one run, a row each."""

from grokscope.dashboard.views.run.outcomes import outcome_rows
from grokscope.schemas import CurveOutcome, Date, Pattern, Verdict


def test_run_lists_every_held_out_curve_the_one_that_it_is_judged_by_first():
    done = Date(step=9, low=8, high=9)
    outcomes = [
        CurveOutcome(metric="val/f1", split="val", pattern=Pattern.GROKKING, generalized=done, level=0.5),
        CurveOutcome(metric="shift:far/f1", split="test", task="far", pattern=Pattern.OTHER, best=0.25),
    ]
    rows = outcome_rows(Verdict(run="r", pattern=Pattern.GROKKING, outcomes=outcomes))
    assert rows.columns == ["curve", "pattern", "onset", "midpoint", "completion", "level", "best"]
    assert rows.rows() == [
        ("val/f1", "Grokking (generalized late)", None, None, 9, "0.5", "–"),
        ("shift:far/f1", "Other (not judged)", None, None, None, "–", "0.25"),
    ]
