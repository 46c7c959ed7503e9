"""The exploratory view: where the measures of one run change their course together."""

import numpy as np
import polars as pl
import pytest

from grokscope.transitions import NotOneRunError, detect, segment
from grokscope.transitions.curves.series import curves_by_run
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run
from grokscope.transitions.leads.segmentation import PARAMETERS
from grokscope.transitions.leads.segmentation import _common_grid as common_grid
from grokscope.transitions.leads.segmentation import _line_costs as line_costs
from grokscope.transitions.leads.segmentation import _penalty as penalty_of

STEPS = np.unique(np.geomspace(1, 10_000, 150).round().astype(int))


def kinked(name: str, *, at: float, up: float, noise: float = 0.01, seed: int = 0) -> pl.DataFrame:
    """A measure that is level until step ``at``, then moves along a straight line in log step."""
    values = up * np.maximum(np.log(STEPS / at), 0.0)
    values += np.random.default_rng(seed).normal(0, noise * abs(up), len(STEPS))
    return pl.DataFrame({"metric": name, "step": STEPS, "value": values})


def together(count: int, *, at: float) -> pl.DataFrame:
    return pl.concat([kinked(f"m{i}", at=at, up=(-3.0) ** i, seed=i) for i in range(count)])


def test_measures_that_turn_at_one_step_give_one_stable_boundary_there():
    found = segment(together(4, at=300.0))
    (boundary,) = found.boundaries
    assert boundary.low <= 300 * 1.1
    assert boundary.high >= 300 / 1.1
    assert boundary.stability == 1.0
    assert [s.begin for s in found.segments] == [1, boundary.step]
    assert found.explained > 0.9


def test_a_boundary_that_is_found_again_within_a_twentieth_of_the_evaluations_is_the_same():
    noisy = [kinked(f"m{i}", at=300.0, up=(-3.0) ** i, noise=0.2, seed=i) for i in range(6)]
    (boundary,) = segment(pl.concat(noisy)).boundaries
    assert boundary.stability == 1.0


def test_a_cut_costs_more_the_more_evaluations_there_are():
    noise = np.array([1.0, 2.0])
    penalties = [penalty_of(np.zeros((2, n + 1, n + 1)), noise) for n in (10, 100)]
    assert penalties == pytest.approx([PARAMETERS * np.log(n) * 3.0 for n in (10, 100)])


def test_a_segment_has_four_points_of_the_grid_at_least():
    costs = line_costs(np.zeros((1, 12)))
    assert np.isfinite(costs[0, 0]).tolist() == [False] * 4 + [True] * 9


def test_trends_are_shares_of_each_measures_own_range_with_their_sign():
    before, after = segment(together(4, at=300.0)).segments
    assert all(abs(trend) < 0.1 for trend in before.trends.values())
    assert {name: round(trend, 1) for name, trend in after.trends.items()} == pytest.approx(
        {"m0": 1.0, "m1": -1.0, "m2": 1.0, "m3": -1.0}, abs=0.2
    )


def test_a_boundary_that_few_measures_share_is_not_stable():
    lonely = pl.concat(
        [together(3, at=1e9).with_columns(pl.col("value") + pl.col("step").log()), kinked("x", at=300, up=1)]
    )
    found = segment(lonely)
    assert all(b.stability is not None and b.stability < 0.95 for b in found.boundaries)


def test_pure_noise_and_straight_lines_are_one_segment():
    rng = np.random.default_rng(1)
    noise = [
        pl.DataFrame({"metric": f"n{i}", "step": STEPS, "value": rng.normal(0, 1, len(STEPS))})
        for i in range(3)
    ]
    line = pl.DataFrame({"metric": "line", "step": STEPS, "value": np.log(STEPS)})
    assert len(segment(pl.concat(noise)).segments) == 1
    assert len(segment(line).segments) == 1


def test_neither_order_nor_scale_of_the_measures_matters_and_steps_may_be_rescaled():
    points = pl.concat([together(3, at=300.0), kinked("late", at=3000.0, up=5.0)])
    plain = segment(points)
    shuffled = segment(points.sample(fraction=1, shuffle=True, seed=1).with_columns(pl.col("value") * 7 - 2))
    assert shuffled.boundaries == plain.boundaries
    scaled = segment(points.with_columns(pl.col("step") * 10))
    assert [b.step for b in scaled.boundaries] == pytest.approx(
        [10 * b.step for b in plain.boundaries], rel=0.05
    )


def test_the_rises_of_a_run_lie_next_to_boundaries():
    points = synthetic_run(CurveRecipe(noise=0.005))
    verdict, found = detect(points)[0], segment(points)
    assert verdict.onset is not None
    assert verdict.generalized is not None
    assert any(verdict.onset.low / 1.5 <= b.step <= 1.5 * verdict.generalized.high for b in found.boundaries)


def test_the_view_calls_itself_exploratory_and_changes_no_verdict():
    assert segment(together(3, at=300.0)).status == "exploratory"


def test_where_nothing_can_be_seen_the_reason_is_given():
    short = pl.DataFrame({"metric": "m", "step": [1, 2], "value": [0.0, 1.0]})
    apart = pl.concat(
        [kinked("early", at=10, up=1), kinked("late", at=10, up=1).with_columns(pl.col("step") + 10_000_000)]
    )
    still = pl.DataFrame({"metric": "m", "step": STEPS, "value": np.ones(len(STEPS))})
    for points in (short, still):
        assert segment(points).reason == "No measure has 12 evaluations: there is nothing to segment."
    assert segment(apart).segments != ()


def test_points_of_several_runs_need_the_name_of_one():
    frame = pl.concat([synthetic_run(CurveRecipe(), run_id=name) for name in ("a", "b")])
    assert segment(frame, run_id="b").run_id == "b"
    with pytest.raises(NotOneRunError, match="got no run_id and the runs a, b"):
        segment(frame)
    with pytest.raises(NotOneRunError, match="run_id 'c'"):
        segment(frame, run_id="c")
    with pytest.raises(NotOneRunError, match="none"):
        segment(frame.clear())


@pytest.mark.parametrize("factor", [1e-6, 1e6])
@pytest.mark.parametrize("kind", ["kinks", "a narrow jump"])
def test_the_unit_of_a_measure_matters_for_nothing(kind, factor):
    if kind == "kinks":
        points = together(4, at=300.0)
    else:  # all but its last two values are one, so that 95 % of it have no range at all
        values = np.where(np.arange(len(STEPS)) < len(STEPS) - 2, 1.0, 3.0)
        points = pl.DataFrame({"metric": "m", "step": STEPS, "value": values})
    plain, scaled = (segment(points.with_columns(pl.col("value") * f)) for f in (1.0, factor))
    assert scaled.boundaries == plain.boundaries
    assert scaled.explained == pytest.approx(plain.explained)
    trends = [[*part.trends.values()] for part in plain.segments]
    assert [[*part.trends.values()] for part in scaled.segments] == [pytest.approx(t) for t in trends]


@pytest.mark.parametrize("names", [("long", "short"), ("short", "long"), ("short",)])
def test_measures_are_compared_at_as_many_steps_as_the_shortest_has(names):
    frames = {
        "long": kinked("long", at=10, up=1),
        "short": kinked("short", at=10, up=1).gather_every(10),
    }
    curves = curves_by_run(pl.concat(frames.values()))["run"]
    assert len(common_grid([curves[name] for name in names])) == len(frames["short"])


def test_the_trend_of_a_straight_line_goes_from_its_first_point_to_its_last():
    """Nine tenths of the points hold nine tenths of a line's range, by which trends are counted."""
    line = pl.DataFrame({"metric": "m", "step": 2 ** np.arange(20), "value": np.linspace(3.0, 8.0, 20)})
    (segment_of_all,) = segment(line).segments
    assert segment_of_all.trends == {"m": pytest.approx(1 / 0.9)}
