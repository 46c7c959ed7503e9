"""Where files of a run may be put: what the store is asked for, and no folder that another host names."""

import sys

import pytest
from mlflow.tracking import MlflowClient

from grokscope.collectors.recording.ship.mlflow.artifacts import ArtifactFiles
from grokscope.collectors.recording.ship.run_store import NoPlace


@pytest.mark.parametrize(
    ("uri", "place", "is_refused"),
    [
        ("http://tracking.example:5000", "file:///home/me/.ssh", True),
        ("http://tracking.example:5000", "/srv/artifacts/1", True),
        ("http://tracking.example:5000", "mlflow-artifacts:/1/r/artifacts", False),
        ("https://tracking.example", "s3://bucket/1", False),
        ("http://127.0.0.1:5000", "file:///srv/artifacts", False),
        ("sqlite:////data/mlflow.db", "file:///data/mlartifacts", False),
    ],
)
def test_nothing_is_written_into_a_folder_of_this_machine_that_another_one_names(uri, place, is_refused):
    assert bool(ArtifactFiles(uri)._why_refused(place)) is is_refused


def test_a_place_whose_library_is_missing_says_which(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(uri)
    run = client.create_run(client.create_experiment("e", artifact_location="s3://bucket/e")).info.run_id
    with pytest.raises(NoPlace, match=r"needs boto3, which this Python lacks; .*pip install boto3"):
        ArtifactFiles(uri).put(client, run, "grokscope/arrays/0.parquet", b"content")
