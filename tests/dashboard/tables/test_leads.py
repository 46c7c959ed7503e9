import polars as pl
import pytest

from grokscope.dashboard.charts import LIGHT
from grokscope.dashboard.charts.leads import pooled_leads_chart, run_leads_chart, span_of
from grokscope.dashboard.state.data import RUNS_SCHEMA, Snapshot
from grokscope.dashboard.tables.leads import (
    FIRST_MEASURES,
    first_of,
    leads_of,
    members_of,
    rise_of,
    said_of_p,
    why_left_out,
)
from grokscope.schemas import Date, Delay, Pattern, Verdict

STEPS = list(range(0, 2001, 20))


def date(step):
    return Date(step=step, low=step, high=step)


def grokked(run, *, at=1000):
    """Memorized at step 100, half-way up at step ``at``, onset a fifth of the delay before."""
    delay = at - 100
    return Verdict(
        run=run,
        pattern=Pattern.GROKKING,
        memorized=date(100),
        onset=date(at - delay // 5),
        midpoint=date(at),
        generalized=date(at + 100),
        delay=Delay(steps=delay, ratio=at / 100),
    )


def jump(run, metric, at):
    return pl.DataFrame(
        {
            "run_id": run,
            "metric": metric,
            "step": STEPS,
            "time_ms": 0,
            "value": [float(step >= at) for step in STEPS],
        }
    )


def snapshot(verdicts, groups):
    runs = [
        {"run_id": run, "label": f"run {run}", "group": group, "status": "FINISHED", "silent": False}
        for run, group in groups.items()
    ]
    return Snapshot(runs=pl.DataFrame(runs, schema=RUNS_SCHEMA), verdicts=verdicts)


@pytest.fixture
def six():
    """Six configurations whose test/loss jumps half a delay before accuracy, and a run without an event."""
    groups = {name: f"arm {name}" for name in "abcdef"} | {"z": "arm z"}
    verdicts = {name: grokked(name, at=1000) for name in "abcdef"}
    verdicts["z"] = Verdict(run="z", pattern=Pattern.MEMORIZATION, memorized=date(100))
    points = pl.concat(
        frame
        for name in groups
        for frame in (
            jump(name, "test/loss", 560),
            jump(name, "weights/norm", 1440),
            jump(name, "collector/seconds", 560),
        )
    )
    return points, snapshot(verdicts, groups), groups


def test_a_measure_that_moves_half_a_delay_before_the_event_stands_at_minus_a_half(six):
    points, shown, _ = six
    rows = members_of(points, shown, ["a"]).select("metric", "half", "lead").rows()
    assert rows == [
        ("test/loss", pytest.approx(-0.5, abs=0.03), pytest.approx(0.5, abs=0.03)),
        ("weights/norm", pytest.approx(0.5, abs=0.03), pytest.approx(-0.5, abs=0.03)),
    ]


def test_a_jump_begins_where_it_is_half_done_on_the_axis_of_the_event(six):
    points, shown, _ = six
    row = members_of(points, shown, ["a"]).row(0, named=True)
    assert row["begin"] == pytest.approx(row["half"], abs=0.03)
    assert rise_of(shown.verdicts["a"]) == (pytest.approx(-0.2), 0.0)


def test_leads_of_six_configurations_are_told_from_chance_and_one_run_is_left_out_with_its_reason(six):
    points, shown, groups = six
    leads = leads_of(points, shown, list(groups), configurations=groups)
    first = leads.pooled.row(0, named=True)
    assert (first["metric"], first["runs"], first["configurations"]) == ("test/loss", 6, 6)
    assert first["p_value"] == 2 / 2**6
    assert first["earliest"] <= -first["median"] <= first["latest"]
    assert leads.left_out.rows() == [
        ("run z", "arm z", "the rise has no date so far (fit only)"),
    ]


def test_runs_of_one_configuration_count_once_and_the_page_says_that_no_p_value_can_be_told(six):
    points, shown, groups = six
    leads = leads_of(points, shown, list(groups), configurations=dict.fromkeys(groups, "one"))
    assert leads.configurations == 1
    assert said_of_p(leads.configurations).startswith("There is one configuration.")
    assert "the smallest possible p-value is 0.25. To reach 0.05, 6 are needed." in said_of_p(3)
    assert said_of_p(6).endswith("the smallest possible p-value is 0.031.")


def test_the_first_measures_are_the_earliest_of_those_with_three_configurations(six):
    points, shown, groups = six
    pooled = leads_of(points, shown, list(groups), configurations=groups).pooled
    thin = pooled.with_columns(configurations=pl.lit(2, dtype=pl.Int64))
    many = pl.concat([thin.with_columns(metric=pl.lit("early")), *([pooled] * 10)])
    assert first_of(many).height == FIRST_MEASURES
    assert "early" not in first_of(many)["metric"]
    assert first_of(thin).equals(thin)


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        (None, "no curve logged yet"),
        (Verdict(run="a", pattern=Pattern.CONFUSION), "memorization has no date (not learned)"),
        (
            Verdict(
                run="a",
                pattern=Pattern.COMPREHENSION,
                memorized=date(9),
                onset=date(5),
                midpoint=date(9),
                delay=Delay(steps=0),
            ),
            "generalized without a delay: nothing to measure leads in",
        ),
        (grokked("a"), None),
    ],
)
def test_every_run_without_leads_has_a_reason(verdict, why):
    assert why_left_out(verdict) == why


def test_no_run_gives_empty_frames():
    leads = leads_of(jump("a", "test/loss", 9).clear(), Snapshot(), [], configurations={})
    assert [frame.height for frame in (leads.members, leads.pooled, leads.left_out)] == [0, 0, 0]


def test_both_charts_are_valid_vega_lite_with_the_event_at_0_and_memorization_at_minus_1(six):
    points, shown, groups = six
    leads = leads_of(points, shown, list(groups), configurations=groups)
    rows = leads.pooled.with_columns(at=-pl.col("median"), sure=pl.lit(value=True))
    charts = [
        pooled_leads_chart(rows, leads.members, palette=LIGHT),
        run_leads_chart(members_of(points, shown, ["a"]), palette=LIGHT),
    ]
    for chart in charts:
        spec = chart.to_dict(validate=True)
        axes = [layer["encoding"]["x"]["axis"] for layer in spec["layer"]]
        assert all({-1.0, 0.0} <= set(axis["values"]) for axis in axes)


def test_positions_far_away_do_not_stretch_the_axis():
    rows = pl.DataFrame({"begin": [-50.0], "half": [90.0]})
    assert span_of(rows) == (-4.1, 4.1)
