"""Each run is read by itself: the names that its metrics go by, for verdicts and charts alike."""

import polars as pl
import pytest

from grokscope.store import IGNORED, names_by_run, renamed_by_run, roles_by_run

TWO = pl.DataFrame(
    {
        "run_id": ["a", "a", "b", "b", "b"],
        "metric": ["val_acc", "reward", "train_loss", "valid_loss", "reward"],
    }
)


def test_what_another_run_logs_changes_no_name():
    assert names_by_run(TWO, {}) == {
        "a": {"val_acc": "val/accuracy", "reward": "reward"},
        "b": {"train_loss": "train/loss", "valid_loss": "val/loss", "reward": "val/reward"},
    }


def test_what_a_person_says_holds_in_every_run_and_what_is_ignored_is_left_out():
    names = names_by_run(TWO, {"reward": "shift:far/reward", "val_acc": IGNORED})
    assert names["a"] == {"reward": "shift:far/reward"}
    assert names["b"]["reward"] == "shift:far/reward"


def test_points_are_named_as_their_own_run_reads_them():
    logged = pl.DataFrame(
        {
            "run_id": ["a", "a", "b", "b"],
            "metric": ["val_acc", "reward", "train_loss", "reward"],
            "value": [0.1, 1.0, 2.0, 3.0],
        }
    )
    found = renamed_by_run(logged, {"a": {"val_acc": "val/accuracy"}, "b": {"reward": "val/reward"}})
    assert found.select("run_id", "metric", "value").rows() == [
        ("a", "val/accuracy", 0.1),
        ("b", "val/reward", 3.0),
    ]


@pytest.mark.parametrize(
    ("others", "said"), [(1, "1 run reads it otherwise"), (2, "2 runs read it otherwise")]
)
def test_a_role_is_what_most_runs_read_and_says_how_many_do_not(others, said):
    alone = [(f"a{run}", "reward") for run in range(4)]
    beside = [(f"b{run}", name) for run in range(others) for name in ("train_loss", "valid_loss", "reward")]
    metrics = pl.DataFrame([*alone, *beside], schema=["run_id", "metric"], orient="row")
    [role] = [role for role in roles_by_run(metrics, {}) if role.name == "reward"]
    assert role.canonical is None
    assert f" {said}, by the names" in role.reason
