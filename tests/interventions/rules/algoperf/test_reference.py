"""AlgoPerf's rule equals a plain second implementation, and the published scores to the digit."""

import json
import math
import os
import statistics
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from grokscope.interventions.rules.algoperf.scores import algoperf_scores
from grokscope.interventions.rules.algoperf.targets import MAXIMIZED, AlgoPerfTargets

BESIDE = Path(__file__).parents[4].parent / "shared" / "data"
FOLDER = Path(os.environ.get("GROKSCOPE_PUBLIC_CURVES", BESIDE)) / "interventions"
METRICS = {"p": "loss", "p_y": "wer", "q": "bleu", "p_x": "loss", "p_y_z": "ssim"}
FILE = {
    "base_workloads": ["p", "p_y", "q"],
    "held_out_workloads": ["p_x", "p_y_z"],
    "workloads": {
        name: {"target_metric_name": metric, "validation_target_value": 1.0}
        for name, metric in METRICS.items()
    },
}


def score_by_hand(evaluations, data):
    """Return the scores by loops over dictionaries, as the rule reads."""
    submissions = sorted(evaluations["submission"].unique())
    names = (*data["base_workloads"], *data["held_out_workloads"])
    times = {(s, w): _median_time(evaluations, w, s) for s in submissions for w in names}
    base_of = {
        h: max((b for b in names if h.startswith(f"{b}_")), key=len) for h in data["held_out_workloads"]
    }
    for s in submissions:
        for held_out, base in base_of.items():
            if math.isinf(times[s, base]):
                times[s, held_out] = math.inf
    fastest = {w: min(times[s, w] for s in submissions) for w in names}
    times = {(s, w): t if t <= 4 * fastest[w] else math.inf for (s, w), t in times.items()}
    for s in submissions:
        for held_out, base in base_of.items():
            if math.isinf(times[s, held_out]):
                times[s, base] = math.inf
    fastest = {w: min(times[s, w] for s in submissions) for w in data["base_workloads"]}
    taus = [1 + 3 * k / 99 for k in range(100)]
    scores = {}
    for s in submissions:
        shares = [
            sum(math.isfinite(times[s, w]) and times[s, w] / fastest[w] <= tau for w in fastest)
            / len(fastest)
            for tau in taus
        ]
        scores[s] = sum((x + y) / 2 for x, y in pairwise(shares)) / 99
    return scores


def _median_time(evaluations, workload, submission):
    level = FILE["workloads"][workload]
    rows = evaluations.filter(
        pl.col("submission") == submission,
        pl.col("workload") == workload,
        pl.col("metric") == "validation/" + level["target_metric_name"],
    )
    per_study = {}
    for (study, _), one in sorted(rows.group_by("study", "trial"), key=lambda pair: pair[0]):
        per_study.setdefault(study, [])
        for place, (value, seconds) in enumerate(one.sort("step").select("value", "seconds").rows()):
            wanted = level["validation_target_value"]
            if value >= wanted if level["target_metric_name"] in MAXIMIZED else value <= wanted:
                per_study[study].append((place, seconds))
                break
    firsts = [min(found, key=lambda pair: pair[0])[1] if found else math.inf for found in per_study.values()]
    return statistics.median(firsts) if firsts else math.inf


def random_runs(seed):
    """Return runs of four submissions: studies missing, trials that fail, NaN, ties of evaluations."""
    rng = np.random.default_rng(seed)
    rows = []
    for submission, name in product("abcd", FILE["workloads"]):
        metric = FILE["workloads"][name]["target_metric_name"]
        for study, trial in product(range(3 if name == "q" else rng.integers(0, 4)), range(9, 11)):
            values = rng.choice([0.5, 1.0, 1.5, 2.0, np.nan], size=3, p=[0.15, 0.15, 0.3, 0.3, 0.1])
            values = 2 - values if metric in MAXIMIZED else values
            seconds = rng.uniform(1, 6, 3).cumsum()
            rows += [
                (submission, name, study, trial, 10 * k, seconds[k], f"validation/{metric}", values[k])
                for k in range(3)
            ]
    fields = ["submission", "workload", "study", "trial", "step", "seconds", "metric", "value"]
    return pl.DataFrame(rows, schema=fields, orient="row").sample(fraction=1.0, shuffle=True, seed=seed)


@pytest.mark.parametrize("seed", range(6))
def test_scores_equal_those_of_a_plain_second_implementation(seed):
    runs = random_runs(seed)
    scores = algoperf_scores(runs, AlgoPerfTargets.parse(FILE), draws=2).scoreboard.scores
    assert {name: estimate.value for name, estimate in scores.items()} == pytest.approx(
        score_by_hand(runs, FILE)
    )


@pytest.mark.skipif(not (FOLDER / "algoperf_v05_targets.json").is_file(), reason="no public logs")
def test_the_published_scores_are_recomputed_from_the_logs():
    published = json.loads((FOLDER / "algoperf_v05_published.json").read_text())
    parsed = AlgoPerfTargets.parse(json.loads((FOLDER / "algoperf_v05_targets.json").read_text()))
    result = algoperf_scores(pl.read_parquet(FOLDER / "algoperf_v05_external.parquet"), parsed)
    board = result.scoreboard
    scores = {name: round(estimate.value, 4) for name, estimate in board.scores.items()}
    assert scores == published["scores"]
    assert (result.trials, result.reached) == (published["trials"], published["reached_target"])
    names = list(scores)
    first = board.scores[names[0]]
    assert (round(first.low, 2), round(first.high, 2)) == (0.64, 0.91)
    order = {(a, b): probability for a, b, probability in board.order.rows()}
    assert order[names[0], names[1]] == pytest.approx(0.76, abs=0.02)
    assert order[names[2], names[3]] == pytest.approx(0.46, abs=0.02)
