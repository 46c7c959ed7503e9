"""What a tracker does while a detector suspects an event: it looks closer and keeps the model's states."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from grokscope.collectors import Tracker, TrackerError, every
from grokscope.collectors.backfill import backfill
from grokscope.collectors.detecting.checkpoints import CheckpointError, Checkpoints, saved
from grokscope.collectors.measures import movement
from grokscope.collectors.testing import MemorySink
from grokscope.schemas import Kind, Status, Transition
from grokscope.schemas.files.replacing import beside

DATA = (torch.randn(6, 4, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 3)


def event(status: Status, step: int) -> Transition:
    return Transition(
        run_id="r",
        metric="test/accuracy",
        kind=Kind.GENERALIZATION,
        step=step,
        low=step,
        high=step,
        status=status,
    )


class Script:
    """Says at given steps what it was told to say."""

    def __init__(self, script: dict[int, Status]) -> None:
        self.script, self.status = script, None

    def update(self, step, values):
        if step not in self.script:
            return ()
        self.status = self.script[step]
        return (event(self.status, step),)


def tracked(script, tmp_path=None, **more) -> tuple[MemorySink, nn.Module, Tracker]:
    sink, model = MemorySink(), nn.Linear(4, 3)
    if tmp_path is not None:
        more["checkpoints"] = Checkpoints(tmp_path / "states", last=3)
    tracker = Tracker(
        model,
        experiment="e",
        sink=sink,
        detector=Script(script),
        schedule=every(10),
        run_id="r",
        **more,
    )
    return sink, model, tracker


def run(tracker: Tracker, model: nn.Module, steps: int = 101) -> list[int]:
    """Train as far as evaluation is concerned; the weights tell the step."""
    read = []
    for step in range(steps):
        nn.init.constant_(model.bias, step)
        if tracker.due(step):
            tracker.evaluate(step, test=DATA)
            read.append(step)
    return read


def test_evaluations_are_denser_from_suspicion_to_confirmation():
    _, model, tracker = tracked({30: Status.SUSPECTED, 50: Status.CONFIRMED}, dense=every(5))
    assert run(tracker, model) == [0, 10, 20, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100]


def test_what_the_detector_says_is_logged_where_it_is_said():
    sink, model, tracker = tracked({30: Status.SUSPECTED, 50: Status.CONFIRMED, 60: Status.REJECTED})
    run(tracker, model)
    said = [row for row in sink.rows() if row[1].startswith("detector/")]
    key = "detector/generalization"
    assert said == [(30, key, 1.0), (50, key, 2.0), (60, key, 0.0)]
    assert [e.status for e in tracker.events] == [Status.SUSPECTED, Status.CONFIRMED, Status.REJECTED]


def test_states_before_the_event_and_while_it_is_suspected_are_kept(tmp_path):
    _, model, tracker = tracked({50: Status.SUSPECTED, 90: Status.CONFIRMED}, tmp_path, dense=every(10))
    run(tracker, model, steps=141)
    found = saved(tmp_path / "states" / "r")
    # From 60 to 80 nothing new is said, and 120 to 140 are the buffer's own.
    assert [c.step for c in found] == [0, *range(30, 91, 10), 120, 130, 140]
    assert [load_file(c.path)["bias"][0].item() for c in found] == [c.step for c in found]
    assert {(c.run_id, c.experiment) for c in found} == {("r", "e")}
    assert {c.path.stat().st_mode & 0o777 for c in found} == {0o600}


def test_without_an_event_only_the_start_and_the_ring_are_on_disk(tmp_path):
    _, model, tracker = tracked({}, tmp_path)
    run(tracker, model)
    assert [c.step for c in saved(tmp_path / "states" / "r")] == [0, 80, 90, 100]


def test_no_more_is_kept_for_good_than_was_allowed(tmp_path):
    buffer = Checkpoints(tmp_path, last=3, most=5).buffer(nn.Linear(1, 1), run_id="r", experiment="e")
    for step in range(20):
        buffer.save(step)
        buffer.keep()
    assert [c.step for c in saved(tmp_path / "r")] == [0, 1, 2, 3, 4, 5, 17, 18, 19]


def test_a_disk_that_refuses_is_said_and_training_goes_on(tmp_path, capsys):
    (tmp_path / "states").write_text("a file where the folder should be")
    sink, model, tracker = tracked({}, tmp_path)
    assert run(tracker, model) == list(range(0, 101, 10))
    assert "was not saved" in capsys.readouterr().err
    assert (100, "test/loss") in {(step, key) for step, key, _ in sink.rows()}


@pytest.mark.parametrize("missing", ["model", "detector"])
def test_checkpoints_need_a_model_and_a_detector(tmp_path, missing):
    given = {"model": nn.Linear(1, 1), "detector": Script({}), missing: None}
    with pytest.raises(TrackerError, match=f"no {missing}"):
        Tracker(**given, experiment="e", sink=MemorySink(), checkpoints=Checkpoints(tmp_path))


def test_tied_weights_are_saved_once_and_come_back_tied(tmp_path):
    def tied() -> nn.Sequential:
        model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5, bias=False))
        model[1].weight = model[0].weight
        return model

    model, other = tied(), tied()
    Checkpoints(tmp_path).buffer(model, run_id="r", experiment="e").save(0)
    saved(tmp_path / "r")[0].load_into(other)
    assert other[1].weight is other[0].weight
    assert torch.equal(other[0].weight, model[0].weight)


def test_backfill_measures_each_state_and_leaves_the_model_as_it_was(tmp_path):
    _, model, tracker = tracked({}, tmp_path)
    run(tracker, model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    sink = MemorySink()

    def bias(context):
        return {
            "mine/bias": context.model.bias[0],
            "mine/examples": float(len(context.passes["test"].logits)),
        }

    logged = backfill(
        tmp_path / "states" / "r", model, {"test": DATA}, measures=[bias], sink=sink, status="FAILED"
    )
    expected = [
        (s, k, v) for s in (0, 80, 90, 100) for k, v in (("mine/bias", float(s)), ("mine/examples", 6.0))
    ]
    assert (sink.rows(), logged, sink.status) == (expected, 8, "FAILED")
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_backfill_measures_how_far_a_state_is_from_the_first_one(tmp_path):
    _, model, tracker = tracked({}, tmp_path)
    run(tracker, model)
    sink = MemorySink()
    backfill(tmp_path / "states" / "r", model, {}, measures=[movement()], sink=sink)
    far = {step: value for step, key, value in sink.rows() if key == "weights/distance_from_init"}
    assert far == pytest.approx({step: 3**0.5 * step for step in (0, 80, 90, 100)})  # three biases


def test_backfill_says_once_what_is_true_of_every_split_and_state(tmp_path, capsys):
    model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1))
    buffer = Checkpoints(tmp_path).buffer(model, run_id="r", experiment="e")
    for step in (0, 5):
        buffer.save(step)
    measures = [lambda context: {"mine/n": float(len(context.passes["test"].logits))}]
    backfill(tmp_path / "r", model, {"train": DATA, "test": DATA}, measures=measures, sink=MemorySink())
    said = [line for line in capsys.readouterr().err.splitlines() if "probabilities" in line]
    assert len(said) == 1


def test_backfill_says_what_it_cannot_use(tmp_path):
    model = nn.Linear(4, 3)
    with pytest.raises(CheckpointError, match="holds no checkpoints"):
        backfill(tmp_path, model, {}, measures=[], sink=MemorySink())
    buffer = Checkpoints(tmp_path).buffer(nn.Linear(5, 3), run_id="r", experiment="e")
    buffer.save(3)
    with pytest.raises(CheckpointError, match="does not fit Linear"):
        backfill(tmp_path / "r", model, {}, measures=[], sink=MemorySink())
    with pytest.raises(CheckpointError, match="lambda could not be measured at step 3"):
        backfill(tmp_path / "r", nn.Linear(5, 3), {}, measures=[lambda _: 1 / 0], sink=MemorySink())
    saved(tmp_path / "r")[0].path.write_bytes(b"half")
    with pytest.raises(CheckpointError, match="no whole safetensors file"):
        saved(tmp_path / "r")


def test_what_a_killed_process_has_half_saved_is_gone_once_its_run_goes_on(tmp_path):
    half = beside(tmp_path / "run" / "step-000000000007.safetensors")
    half.parent.mkdir()
    half.write_bytes(b"half a model")
    Checkpoints(tmp_path).buffer(nn.Linear(2, 2), run_id="run", experiment="e")
    assert list(half.parent.iterdir()) == []
