"""A person's review: rejected, moved and added dates survive a new detector, and are in every answer."""

import json
from functools import partial
from pathlib import Path

import anyio
import pytest
from mcp import Client
from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from grokscope.answers import StoreReader
from grokscope.cli.agents.server import server_of
from grokscope.dashboard.state.reviewing import keep
from grokscope.dashboard.state.session import StoreSession
from grokscope.schemas import Date, Decision, Review
from grokscope.schemas.tags import REVIEW_PREFIX
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run
from grokscope.transitions.verdict import detection

EXPERIMENT = "reviewed"


@pytest.fixture
def uri(tmp_path):
    """Two runs that grok, of two settings."""
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(uri)
    number = client.create_experiment(EXPERIMENT, artifact_location=str(tmp_path / "artifacts"))
    for seed in range(2):
        run = client.create_run(number, run_name=f"seed {seed}").info.run_id
        rows = synthetic_run(CurveRecipe(evaluations=60, seed=seed)).select("metric", "value", "step").rows()
        metrics = [Metric(metric, value, 1_000_000 + step, step) for metric, value, step in rows]
        client.log_batch(run, metrics=metrics, params=[Param("wd", str(seed)), Param("seed", "0")])
        client.set_terminated(run)
    return uri


def decide(uri, name, *reviews):
    """Decide as the page does, which reads the run's tags anew for each decision."""
    source = StoreSession(uri)
    run = source.snapshot(EXPERIMENT).runs.filter(name=name)["run_id"][0]
    for review in reviews:
        assert keep(source, run, lambda record, review=review: record.with_review(review)) is None
    return run


def asked(uri, tool, **arguments):
    async def talk():
        async with Client(server_of(StoreReader(uri)), read_timeout_seconds=60) as client:
            (content,) = (await client.call_tool(tool, arguments)).content
            return content.text

    return anyio.run(partial(talk))


def one(step):
    return Date(step=step, low=step, high=step)


def test_reject_move_and_add_survive_a_new_detector_and_are_in_every_answer(
    uri, grokscope, monkeypatch, tmp_path
):
    signed = {"reviewer": "ann", "time": "2026-11-29T10:00:00Z"}
    detector = StoreSession(uri).snapshot(EXPERIMENT).verdicts
    moved = decide(
        uri,
        "seed 0",
        Review(subject="onset", decision=Decision.MOVED, date=one(777), **signed),
        Review(subject="phase_change", decision=Decision.ADDED, date=one(44), metric="test/accuracy"),
    )
    rejected = decide(uri, "seed 1", Review(subject="generalized", decision=Decision.REJECTED, **signed))
    before = tags_of(uri, moved), tags_of(uri, rejected)

    monkeypatch.setattr(detection, "VERSION", "99.0")
    where = ("detect", uri, "--experiment", EXPERIMENT)
    status, out, _ = grokscope(*where, "--write", "--format", "json")
    assert status == 0
    found = {verdict["run"]: verdict for verdict in map(json.loads, out.splitlines())}
    assert found[moved]["detector"] == "grokscope 99.0"
    assert found[moved]["onset"] == {"step": 777, "low": 777, "high": 777}
    assert [(r["subject"], r["decision"]) for r in found[moved]["reviews"]] == [
        ("phase_change", "added"),
        ("onset", "moved"),
    ]
    assert ("phase_change", 44) in [(e["kind"], e["step"]) for e in found[moved]["transitions"]]
    assert (found[rejected]["pattern"], found[rejected]["generalized"]) == ("memorization", None)

    after = tags_of(uri, moved), tags_of(uri, rejected)
    for own, was in zip(after, before, strict=True):
        assert {k: v for k, v in own.items() if k.startswith(REVIEW_PREFIX)} == was
    # Beside them stand the detector's own.
    assert after[0]["grokscope.onset_step"] == str(detector[moved].onset.step)
    assert after[1]["grokscope.pattern"] == "grokking"
    artifact = Path(MlflowClient(uri).download_artifacts(rejected, "grokscope/verdict.json"))
    assert json.loads(artifact.read_text("utf-8"))["generalized"] is not None

    table = grokscope(*where)[1]
    assert "Reviewed: onset moved to step 777 by ann." in " ".join(table.split())

    shown = StoreSession(uri).snapshot(EXPERIMENT).verdicts
    assert shown[moved].onset == one(777)
    assert shown[rejected].generalized is None

    said = "'seed 0': phase change added at step 44, onset moved to step 777 by ann"
    target = ("--by", "wd", "--target", "test/accuracy>=0.9", "--experiment", EXPERIMENT)
    page = ("--report", str(tmp_path / "r.md"), "--bundle", str(tmp_path / "bundle"))
    status, out, err = grokscope("compare", uri, *target, *page, "--format", "json")
    assert status == 0, err
    compared = json.loads(out)
    assert any(said in caveat for caveat in compared["caveats"])
    assert all(group["reached"] == 1 for group in compared["groups"])  # on the curve, which no review moves
    assert said in (tmp_path / "r.md").read_text().replace("\\", "")

    assert grokscope("export", "--store", uri, "--to", "v.json")[0] == 0
    exported = {one["run"]: one for one in json.loads((tmp_path / "v.json").read_text())}
    assert exported[moved]["onset"]["step"] == 777

    answer = asked(uri, "when", run="seed 0")
    assert "777" in answer
    assert "onset moved to step 777 by ann" in answer
    assert "No" in asked(uri, "did_it_generalize", run="seed 1")


def tags_of(uri, run):
    tags = MlflowClient(uri).get_run(run).data.tags
    return {key: value for key, value in tags.items() if key.startswith("grokscope.")}
