"""CatBoost's folders, and the consoles of CatBoost, LightGBM and XGBoost: a curve a set and metric."""

# ruff: noqa: E501, ISC004 -- lines of logs are as long as programs write them, and a case is one row

import json

import pytest

from grokscope.schemas import readings, resolve

LEARN = "iter\tF1\tLogloss\n0\t0.25\t0.6844174577\n1\t0.5\t0.6775299288\n"
TEST = "iter\tF1\tLogloss\n0\t0.125\t0.6967840935\n1\t0.25\tnan\n"
TRAINING = {
    "meta": {
        "test_sets": ["test", "test1"],
        "test_metrics": [{"best_value": "Min", "name": "RMSE"}],
        "learn_metrics": [{"best_value": "Min", "name": "RMSE"}],
        "iteration_count": 2,
        "learn_sets": ["learn"],
    },
    "iterations": [
        {
            "learn": [0.5],
            "iteration": 0,
            "passed_time": 0.25,
            "remaining_time": 9.5,
            "test": [0.75],
            "test1": [1],
        },
        {"iteration": 1, "passed_time": 0.5, "remaining_time": 9, "test": [0.625], "test1": ["NaN"]},
    ],
}


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))


def test_a_folder_of_catboosts_is_one_run_whatever_wrote_its_parts(runs_in, events, tmp_path):
    write(
        tmp_path,
        {
            "a/catboost_info/learn_error.tsv": LEARN,
            "a/catboost_info/test_error.tsv": TEST,
            "a/catboost_info/time_left.tsv": "iter\tPassed\tRemaining\n0\t42\t25424\n",
            "b/catboost_info/catboost_training.json": TRAINING,
        },
    )
    for one in ("learn", "test"):
        events(tmp_path / "a/catboost_info" / one, {"Logloss": {0: 0.68}})
    runs, skipped = runs_in(tmp_path)
    assert skipped == {}
    assert {name: run.kind for name, (_, run) in runs.items()} == {"a": "catboost", "b": "catboost"}
    curves, run = runs["a"]
    assert repr(curves) == repr(
        {
            "train/F1": {0: 0.25, 1: 0.5},
            "train/Logloss": {0: 0.6844174577, 1: 0.6775299288},
            "test/F1": {0: 0.125, 1: 0.25},
            "test/Logloss": {0: 0.6967840935, 1: float("nan")},
        }
    )
    assert resolve(readings(curves))["test/Logloss"] == "test/loss"
    curves, run = runs["b"]
    assert repr(curves) == repr(
        {
            "passed_time": {0: 0.25, 1: 0.5},
            "train/RMSE": {0: 0.5},
            "test/RMSE": {0: 0.75, 1: 0.625},
            "test1/RMSE": {0: 1.0, 1: float("nan")},
        }
    )
    assert run.params == {"iterations": "2"}


def test_a_part_of_catboosts_that_is_not_whole_costs_only_itself(runs_in, tmp_path):
    whole = json.dumps(TRAINING)
    write(
        tmp_path,
        {
            "catboost_info/learn_error.tsv": LEARN + "2\t0.7",
            "catboost_info/catboost_training.json": whole[: len(whole) // 2],
        },
    )
    runs, skipped = runs_in(tmp_path)
    ((curves, _),) = runs.values()
    assert curves == {
        "train/F1": {0: 0.25, 1: 0.5, 2: 0.7},
        "train/Logloss": {0: 0.6844174577, 1: 0.6775299288},
    }
    (one,) = skipped.values()
    assert one.is_error
    assert "'catboost_training.json' is not readable JSON" in one.reason


CONSOLES = {
    "catboost": (
        "Learning rate set to 0.03\n"
        "0:\tlearn: 0.6844\ttest: 0.6967\tbest: 0.6967 (0)\ttotal: 12ms\tremaining: 1m 2s\n"
        "1:\tlearn: 0.6775\ttest: 0.7035\tbest: 0.6967 (0)\ttotal: 1m 2s\tremaining: 1s\n"
        "\nbestTest = 0.6967\nbestIteration = 0\n",
        {"learn": {0: 0.6844, 1: 0.6775}, "test": {0: 0.6967, 1: 0.7035}},
        {},
        "its metric has no name there; say what it is with 'grokscope detect' and --alias learn=train/loss",
    ),
    "lightgbm": (
        "[LightGBM] [Info] Start training from score 0.5\n"
        "[10]\ttraining's auc: 0.75\ttraining's binary_logloss: 0.5\tvalid_1's auc: 0.625\n"
        "[20]\ttraining's auc: 0.875\ttraining's binary_logloss: 0.25\tvalid_1's auc: 0.75\n",
        {"training/auc": {10: 0.75, 20: 0.875}, "training/binary_logloss": {10: 0.5, 20: 0.25},
         "valid/auc": {10: 0.625, 20: 0.75}},
        {"training/auc": "train/auc", "valid/auc": "val/auc"},
        None,
    ),
    "lightgbm, two sets": (
        "[1]\tvalid_0's l2: 3\tvalid_1's l2: 4\n[2]\tvalid_0's l2: 1.5\tvalid_1's l2: 2.5\n",
        {"valid_0/l2": {1: 3.0, 2: 1.5}, "valid_1/l2": {1: 4.0, 2: 2.5}},
        {},
        "its sets have numbers only; say which one is held out with 'grokscope detect' and "
        "--alias valid_1/l2=val/loss",
    ),
    "xgboost, one set": (
        "[0]\tvalidation_0-logloss:0.5\n[1]\tvalidation_0-logloss:0.25\n",
        {"validation-logloss": {0: 0.5, 1: 0.25}},
        {"validation-logloss": "val/loss"},
        None,
    ),
    "xgboost, two sets": (
        "[12:30:45] [0]\tvalidation_0-auc:0.5\tvalidation_1-auc:0.25\n[1]\tvalidation_0-auc:0.75+0.1\tvalidation_1-auc:0.5\n",
        {"validation_0-auc": {0: 0.5, 1: 0.75}, "validation_1-auc": {0: 0.25, 1: 0.5}},
        {},
        "its sets have numbers only; say which one is held out with 'grokscope detect' and "
        "--alias validation_1-auc=val/loss",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONSOLES)
def test_a_console_of_boosting_gives_a_curve_a_set(runs_in, tmp_path, name):
    text, wanted, roles, note = CONSOLES[name]
    (tmp_path / "train.log").write_text(text)
    ((curves, run),) = runs_in(tmp_path)[0].values()
    assert curves == wanted
    keys = resolve(readings(curves))
    assert {metric: keys[metric] for metric in roles} == roles
    assert run.notes[1:] == (() if note is None else (note,))
