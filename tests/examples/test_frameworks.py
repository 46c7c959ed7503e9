"""The examples of frameworks and of several processes run as they are, and what they log arrives."""

import pytest

TRACKED = {"train/batch_loss", "test/accuracy", "weights/norm", "gradients/norm"}


def test_the_example_runs_and_its_one_run_is_stored(framework, run_of):
    run, _ = run_of(framework)
    assert run.info.status == "FINISHED"
    assert run.data.metrics.keys() >= TRACKED


@pytest.mark.parametrize(
    "key",
    [
        "train/loss",
        "gradients/norm",
        "updates/ratio",
        "weights/norm",
        "weights/norm/2",
        "weights/spectral_norm/0",
    ],
)
def test_sharded_parameters_are_measured_as_the_whole_that_they_are(key, history_of):
    """The two examples train the same model on the same data: in copies here, in shards there."""
    whole, sharded = (history_of(name, key) for name in ("ddp", "fsdp2"))
    steps = whole.keys() & sharded.keys()  # costly measures may have been skipped in either
    assert steps
    assert [sharded[step] for step in steps] == pytest.approx([whole[step] for step in steps], rel=1e-3)


@pytest.mark.parametrize(("name", "last"), [("accelerate_loop", 8 * 12 // 2), ("hugging_face_trainer", 60)])
def test_a_step_is_one_of_the_optimizer_where_gradients_are_accumulated(name, last, history_of):
    steps = history_of(name, "test/accuracy")
    assert 1 <= min(steps) < max(steps) <= last
    assert len(steps) > 25
