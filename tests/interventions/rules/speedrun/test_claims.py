"""Published results beside their logs: explained by rule, and the public ones counted."""

import json
import os
from pathlib import Path

import polars as pl
import pytest

from grokscope.interventions.outcomes.target import Target, TargetError
from grokscope.interventions.rules.speedrun.claims import speedrun_claims
from grokscope.interventions.rules.speedrun.ladder import SpeedrunError
from grokscope.interventions.rules.speedrun.records import speedrun_records
from grokscope.interventions.rules.speedrun.results import PublishedResults

BESIDE = Path(__file__).parents[4].parent / "shared" / "data"
FOLDER = Path(os.environ.get("GROKSCOPE_PUBLIC_CURVES", BESIDE)) / "interventions"
TARGET = Target.parse("val_loss<=3.28")


def claim_of(losses, planned=300, **result):
    """Return what is said of one result whose runs have these losses at steps 100, 200, 300."""
    rows = [
        (f"run{k}", planned, step, loss)
        for k, run in enumerate(losses)
        for step, loss in zip((100, 200, 300), run, strict=False)
    ] or [("elsewhere", planned, 100, 3.3)]
    frame = pl.DataFrame(rows, schema=["run_id", "planned", "step", "value"], orient="row")
    result = {"number": 7, "steps": 300, "runs": [f"run{k}" for k in range(len(losses))]} | result
    published = PublishedResults.parse({"results": [result]})
    claims = speedrun_claims(frame.with_columns(metric=pl.lit("val_loss")), published, TARGET)
    return claims.row(0, named=True)


TWO = ([3.3001, 3.281, 3.2760], [3.3101, 3.282, 3.2762])


def test_a_result_agrees_where_the_rule_first_holds_at_the_published_number_of_steps():
    claim = claim_of(TWO, mean_loss=3.2761, n=2)
    assert (claim["agrees"], claim["explanation"], claim["notes"]) == (True, None, [])
    assert (claim["steps"], claim["n"], claim["passes"]) == (300, 2, True)
    assert claim["rule_value"] == pytest.approx(0.0039 * 2**0.5)


def test_a_result_that_is_claimed_too_early_or_too_late_is_explained():
    assert claim_of(TWO, steps=200, mean_loss=3.2761)["explanation"] == (
        "At 200 steps the mean of its 2 runs is 3.2815 and the rule does not hold; it first holds at 300 "
        "steps, where the mean is the published one."
    )
    early = [[3.30, 3.2750, 3.2751], [3.31, 3.2752, 3.2733]]
    assert claim_of(early)["explanation"] == ("The rule holds already at 200 steps, 1 evaluation before 300.")
    assert claim_of(TWO, steps=250)["explanation"] == (
        "Its runs were not all evaluated at 250 steps; it first holds at 300 steps."
    )
    assert claim_of(TWO, steps=250)["rule_value"] is None


def test_a_result_without_logs_or_with_few_of_them_is_explained():
    assert claim_of([])["explanation"] == "No log is listed for it."
    assert claim_of([], runs=["x", "y"])["explanation"] == "None of its 2 logs is among the runs."
    one = claim_of([[3.30, 3.279, 3.278]], steps=200, n=20)
    assert one["explanation"] == (
        "It has 1 of 20 runs. The rule holds at no step; its largest value is 0.0020, at 300 steps."
    )
    assert one["notes"][0] == "published from 20 runs, its logs are 1"
    apart = claim_of([[3.30], [3.31, 3.2]], steps=300)
    assert (apart["steps"], apart["agrees"]) == (100, False)


def test_what_differs_beside_the_steps_is_noted():
    claim = claim_of([*TWO, TWO[0]], mean_loss=3.2700, n=3, runs=["run0", "run1", "run2", "gone"])
    assert claim["agrees"]
    assert claim["notes"] == [
        "1 of its 4 logs are not there",
        "its 3 logs are 2 different runs of one planned number of steps",
        "published from 3 runs, its logs are 2",
        "published with a mean of 3.2700, its logs have 3.2761",
    ]
    weak = claim_of([[3.30, 3.29, 3.279]], n=1)
    assert (weak["agrees"], weak["passes"]) == (True, False)
    assert weak["notes"] == ["the rule does not hold: its value is 0.0010"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "a results file must be a JSON object with names, got"),
        ({}, "a results file needs 'results', a list of the accepted results"),
        ({"results": [3]}, "result 1 of 'results' must be a JSON object with names, got 3"),
        ({"results": [{"steps": 3}]}, "result 1 needs 'runs', a list of names of runs"),
        ({"results": [{"steps": 3, "runs": [1]}]}, "result 1 needs 'runs', a list of names of runs"),
        ({"results": [{"number": 4, "runs": []}]}, "result 4 needs 'steps', the number of steps at which"),
        ({"results": [{"steps": "9", "runs": []}]}, "'steps' of result 1 must be a number, got '9'"),
        ({"results": [{"steps": 10**400, "runs": []}]}, "'steps' of result 1 must be a number, got 1000"),
        ({"results": [{"steps": 1, "n": 1e300, "runs": []}]}, "'n' of result 1 must be a number, got 1e.300"),
        ({"results": [{"number": 1, "steps": 1, "runs": []}] * 2}, "'results' has number 1 more than once"),
        ({"results": [], "target": 3}, "'target' must be a JSON object with names, got 3"),
    ],
)
def test_a_results_file_that_cannot_be_read_is_refused(data, message):
    with pytest.raises(SpeedrunError, match=message):
        PublishedResults.parse(data)


def test_the_target_of_a_results_file_may_be_above_below_or_missing():
    def target_of(fields):
        return PublishedResults.parse({"results": [], "target": fields}).target

    assert target_of(None) is None
    assert target_of({"metric": "val_loss", "at_most": 3.28}) == TARGET
    assert target_of({"metric": "acc", "at_least": 0.9}) == Target.parse("acc>=0.9")
    with pytest.raises(TargetError):
        target_of({"metric": "val_loss"})


@pytest.fixture(scope="module")
def public():
    if not (FOLDER / "speedrun_track3.parquet").is_file():
        pytest.skip("no public logs")
    published = PublishedResults.parse(json.loads((FOLDER / "speedrun_track3_published.json").read_text()))
    return pl.read_parquet(FOLDER / "speedrun_track3.parquet").rename({"run": "run_id"}), published


def test_the_published_step_counts_are_recomputed_and_the_others_explained(public):
    curves, published = public
    claims = speedrun_claims(curves, published, published.target)
    with_logs = claims.filter(pl.col("found") > 0)
    assert (claims.height, with_logs.height) == (46, 45)
    assert with_logs.filter(pl.col("agrees") & pl.col("passes")).height >= 38
    assert with_logs["agrees"].sum() >= 41
    others = claims.filter(~pl.col("agrees"))
    assert others["explanation"].null_count() == 0
    assert others["explanation"].n_unique() == others.height


def test_all_public_record_folders_have_a_result(public):
    curves, published = public
    records = speedrun_records(curves, published.target, by="record").records
    assert records.height == curves["record"].n_unique()
    assert records.select("steps", "mean", "rule_value", "e_value").null_count().row(0) == (0, 0, 0, 0)
    assert records["logs"].sum() == curves["run_id"].n_unique()
