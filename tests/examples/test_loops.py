"""The examples of loops of one's own run as they are, and what they log arrives."""

TRACKED = {"train/batch_loss", "test/accuracy", "weights/norm", "gradients/norm"}
# The one that has no tracker of its own: all it logs is what its code gave to MLflow.
LOGGED = {"mlflow_drop_in": {"train_loss", "train_acc"}}


def test_the_example_runs_and_its_one_run_is_stored(loop, run_of):
    run, _ = run_of(loop)
    assert run.info.status == "FINISHED"
    assert LOGGED.get(loop, TRACKED) <= run.data.metrics.keys()


def test_the_drop_in_writes_every_point_into_the_run_that_mlflow_made(run_of, history_of):
    run, _ = run_of("mlflow_drop_in")
    assert run.info.run_name == "drop-in"
    assert run.data.params == {"lr": "0.01", "seed": "0"}
    assert list(history_of("mlflow_drop_in", "train_loss")) == list(range(200))


def test_gradients_are_logged_in_their_true_size_under_a_gradient_scaler(history_of):
    norms = history_of("amp_and_compile", "gradients/norm")
    assert all(0.0 < norm <= 1.001 for norm in norms.values())  # clipped at 1; the scale is 65536


def test_training_stops_once_generalization_is_confirmed(history_of):
    said = list(history_of("stop_at_grokking", "detector/generalization").values())
    assert (said[0], said[-1]) == (1.0, 2.0)  # suspected, then confirmed
    assert max(history_of("stop_at_grokking", "train/batch_loss")) < 3999
