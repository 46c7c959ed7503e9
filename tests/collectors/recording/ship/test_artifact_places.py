"""Where files of a run may be put: what the store is asked for, and no folder that another host names."""

import pytest

from grokscope.collectors.recording.ship.mlflow.artifacts import ArtifactFiles


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
