"""A skeptic's questions: each is raised where there is ground for it, and only there."""

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.comparing.comparison import compare
from grokscope.interventions.comparing.skeptic import Answer, questions_of
from grokscope.interventions.noise.e_process import difference_e_process
from grokscope.interventions.outcomes.observed import ObservedRuns
from grokscope.interventions.outcomes.target import Target

POWER = "Could so few runs show anything?"
PEEKING = "Would it hold if seeds had been added until it passed?"
UNFINISHED = "Would the answer be another one without the runs that did not get there?"
SIZES = "Do the groups have equally many runs?"


def asked(groups, *, budget=1000):
    """What a skeptic asks of runs that reach the target at these steps (None: never), as question: answer."""
    runs = [
        {"run_id": f"{group}{i}", "name": None, "status": "FINISHED", "wd": group}
        for group, steps in groups.items()
        for i, _ in enumerate(steps)
    ]
    curves = [
        (f"{group}{i}", "acc", step, float(cost is not None and step >= cost))
        for group, steps in groups.items()
        for i, cost in enumerate(steps)
        for step in sorted({budget, *([] if cost is None else [cost - 1, cost])})
    ]
    table = pl.DataFrame(curves, schema=["run_id", "metric", "step", "value"], orient="row")
    observed = ObservedRuns(runs=pl.DataFrame(runs), curves=table)
    found = compare(observed, target=Target.parse("acc>=1"), by=["wd"])
    return {one.asked: one for one in questions_of(found, observed)}


def test_runs_that_could_show_a_pair_but_not_one_of_many_pairs_are_too_few():
    groups = {name: [100 * place + i for i in range(5)] for place, name in enumerate("abcd", start=1)}
    few = asked(groups)[POWER]
    assert (few.answer, "of 6 pairs no result can be below p = 0.048" in few.because) == (Answer.FINE, False)
    few = asked(groups | {"e": [501, 502, 503, 504, 505]})[POWER]
    assert few.answer is Answer.DOUBT
    assert "of 10 pairs no result can be below p = 0.079" in few.because


def test_a_finding_is_asked_for_its_e_value_of_both_directions_and_of_all_pairs():
    a, b, c = [100, 110, 120, 130, 140, 150], [400, 420, 440, 460, 480, 500], [401, 421, 441, 461, 481, 501]
    found = asked({"a": a, "b": b, "c": c})[PEEKING]
    sides = [difference_e_process(np.log(a), np.log(b), below=below)[-1] for below in (True, False)]
    assert f"a / b has an e-value of {np.mean(sides) / 3:.3g}" in found.because
    assert found.answer is Answer.FINE


@pytest.mark.parametrize("seed", range(3))
def test_where_nothing_is_shown_nothing_can_be_lost(seed):
    steps = np.random.default_rng(seed).integers(100, 900, (2, 6)).tolist()
    assert asked({"a": steps[0], "b": steps[0][::-1]})[PEEKING].answer is Answer.UNKNOWN


def test_leaving_out_runs_that_did_not_get_there_is_doubted_where_it_turns_the_order():
    turned = asked({"a": [100, None, None, None], "b": [300, 310, 320, 330]})[UNFINISHED]
    assert (turned.answer, turned.because[:40]) == (Answer.DOUBT, "3 of 8 runs did not get there. Without t")
    assert asked({"a": [100, 110, 120, 130], "b": [300, 310, 320, None]})[UNFINISHED].answer is Answer.FINE


def test_groups_of_other_sizes_are_asked_why():
    assert asked({"a": [100, 110], "b": [100, 110, 120]})[SIZES].answer is Answer.DOUBT
    assert asked({"a": [100, 110], "b": [100, 110]})[SIZES].answer is Answer.FINE
