import itertools

import polars as pl
import pytest

from grokscope.dashboard.state.judging import Judge
from grokscope.schemas import as_points
from grokscope.transitions import detect


@pytest.fixture
def frame(curves):
    """Points of so many runs of one shape."""

    def made(runs, *, until=2000):
        points = curves(groks=True, until=until)
        names, values, steps = zip(*points, strict=True)
        one = pl.DataFrame({"metric": names, "value": values, "step": steps})
        return pl.concat(as_points(one, run_id=f"r{i:03}") for i in range(runs))

    return made


def test_what_is_not_judged_in_time_waits_and_every_call_gets_further(frame):
    points = frame(100)
    ticks = itertools.count()
    judge = Judge(clock=lambda: next(ticks), budget_s=0.5)
    waiting = []
    while not waiting or waiting[-1]:
        waiting.append(judge.judge(points).waiting)
    assert waiting == sorted(set(waiting), reverse=True)
    assert len(waiting) > 1
    assert judge.judge(points).verdicts == {v.run: v for v in detect(points)}


def test_a_run_that_waits_keeps_its_verdict_and_runs_without_one_come_first(frame):
    ticks = itertools.count()
    judge = Judge(clock=lambda: next(ticks), budget_s=0.5)
    before = judge.judge(frame(40, until=500))
    assert before.waiting == 0
    after = judge.judge(frame(60))
    assert {f"r{i:03}" for i in range(40, 60)} <= after.verdicts.keys()
    kept = [run for run in before.verdicts if after.verdicts[run] is before.verdicts[run]]
    assert len(kept) == after.waiting > 0
