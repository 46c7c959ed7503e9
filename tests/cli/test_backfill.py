"""``grokscope backfill``: states that a real run kept are measured later, into that same MLflow run."""

import pytest
import torch
from mlflow import MlflowClient
from torch import nn

from grokscope.collectors import Tracker, every
from grokscope.collectors.detecting.checkpoints import Checkpoints

REBUILD = """
import torch
from torch import nn

def build():
    data = (torch.arange(8.0).view(4, 2), torch.tensor([0, 1, 0, 1]))
    return nn.Linear(2, 2), {"test": data}

def bias(reading):
    return {"mine/bias": reading.model.bias[0]}
"""


class Quiet:
    """A detector with nothing to say."""

    status = None

    def update(self, step, values):
        del step, values
        return ()


@pytest.fixture
def grokscope(grokscope, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "rebuilding.py").write_text(REBUILD)
    return grokscope


def trained(folder, store):
    """A run of five evaluations whose bias tells the step."""
    model, data = nn.Linear(2, 2), (torch.arange(8.0).view(4, 2), torch.tensor([0, 1, 0, 1]))
    with Tracker(
        model,
        experiment="e",
        store=store,
        schedule=every(1),
        detector=Quiet(),
        checkpoints=Checkpoints(folder, last=2),
    ) as tracker:
        for step in range(5):
            nn.init.constant_(model.bias, step)
            tracker.evaluate(step, test=data)
    return tracker.run_id


def test_saved_states_are_measured_into_the_run_that_they_came_from(grokscope, tmp_path):
    store = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(store)
    client.search_experiments()  # makes the tables, which takes MLflow longer than a run waits at its end
    run_id = trained(tmp_path / "states", store)
    status, out, _ = grokscope(
        "backfill",
        f"states/{run_id}",
        *("--build", "rebuilding:build", "--store", store),
        *("--measure", "rebuilding:bias", "--measure", "movement", "--measure", "neural_collapse"),
    )
    assert (status, out) == (0, "24 values logged\n")
    assert grokscope("sync")[0] == 0  # on a busy machine the last points may still be on their way
    (logged,) = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    assert logged.info.status == "FINISHED"

    def curve(key):
        return [(m.step, m.value) for m in client.get_metric_history(logged.info.run_id, key)]

    assert curve("mine/bias") == [(0, 0.0), (3, 3.0), (4, 4.0)]
    assert curve("weights/distance_from_init")[-3:] == [(s, pytest.approx(2**0.5 * s)) for s in (0, 3, 4)]
    assert [step for step, _ in curve("test/accuracy")] == [0, 1, 2, 3, 4]


def test_what_cannot_be_rebuilt_or_is_no_measure_is_said(grokscope, tmp_path):
    states = tmp_path / "nowhere"
    for asked, named in (
        (("--build", "rebuilding:nothing", "--measure", "movement"), "nothing"),
        (("--build", "rebuilding:build", "--measure", "sharpnes"), "sharpnes"),
        (("--build", "rebuilding:build", "--measure", "movement"), "holds no checkpoints"),
    ):
        status, _, err = grokscope("backfill", str(states), *asked)
        assert status
        assert named in err
        assert "Traceback" not in err
