"""Roles: what is guessed is said, what a person says wins, and all who read the store share it."""

import shutil

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.entities import Metric

from grokscope.schemas import UnknownMetricError, guesses
from grokscope.store import (
    IGNORED,
    ExperimentNotFoundError,
    How,
    MissingStoreError,
    RoleKind,
    open_store,
    resolved_names,
    roles_of,
    under_roles,
)
from grokscope.transitions import detect

NAMES = ("val_acc", "valid_acc", "test/accuracy", "train_acc", "loss", "val_loss", "lr", "a/acc", "grad_norm")
KEYS = ("test/accuracy", "val/accuracy", "train/accuracy", "train/loss", IGNORED)


def test_usual_names_of_other_code_have_roles_and_say_why():
    logged = ["train_acc", "val/accuracy", "eval_loss", "lambada_openai/acc", "grad_norm", "epoch", "lr"]
    found = {role.name: (role.kind, role.canonical, role.how) for role in roles_of(logged)}
    assert found == {
        "train_acc": (RoleKind.FIT, "train/accuracy", How.GUESSED),
        "val/accuracy": (RoleKind.OUTCOME, "val/accuracy", How.OWN),
        "eval_loss": (RoleKind.LOSS, "val/loss", How.GUESSED),
        "lambada_openai/acc": (RoleKind.OUTCOME, "shift:lambada_openai/accuracy", How.GUESSED),
        "grad_norm": (RoleKind.NORM, "gradients/norm", How.GUESSED),
        "epoch": (RoleKind.PROGRESS, "progress/epochs", How.GUESSED),
        "lr": (RoleKind.NONE, None, How.UNKNOWN),
    }


def test_an_override_onto_a_key_that_is_taken_says_which_metric_to_move():
    (mine, _) = roles_of(["probe", "test/accuracy"], {"probe": "test/accuracy"})
    assert (mine.canonical, mine.how) == (None, How.UNKNOWN)
    assert mine.reason == "A person mapped it to test/accuracy, which another metric has; map that one away."


def test_an_ignored_metric_gives_way_to_the_one_it_stood_before():
    overrides = {"test/accuracy": IGNORED, "probe": "test/accuracy"}
    names = resolved_names(["probe", "test/accuracy"], overrides)
    assert names["probe"] == "test/accuracy"
    frame = pl.DataFrame({"run_id": "a", "metric": ["probe", "test/accuracy"], "value": [0.5, 0.7]})
    assert under_roles(frame, overrides)["value"].to_list() == [0.5]


def test_a_role_says_which_way_is_better():
    overrides = {"cost": "test/cost:down", "gain": "train/reward:down"}
    found = {role.name: role for role in roles_of(["cost", "gain", "val_error", "ind_acc", "lr"], overrides)}
    ways = {name: role.higher_is_better for name, role in found.items()}
    assert ways == {"cost": False, "gain": False, "val_error": False, "ind_acc": True, "lr": None}
    assert [found[name].kind for name in ("cost", "gain")] == [RoleKind.OUTCOME, RoleKind.FIT]
    assert [str(found[name].sureness) for name in ("cost", "val_error", "ind_acc")] == [
        "sure",
        "sure",
        "unsure",
    ]


def test_a_guess_that_is_too_weak_is_told_and_not_followed():
    (role,) = roles_of(["test/acc_add"])
    assert (role.canonical, role.how) == (None, How.UNKNOWN)
    assert role.reason == "'add' behind the score may be the name of a set. It may be shift:add/accuracy."


overrides_of = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(KEYS))


@given(st.lists(st.sampled_from(NAMES), unique=True, min_size=1), overrides_of)
def test_no_two_metrics_have_one_role_and_every_name_has_a_reason(names, overrides):
    roles = roles_of(names, overrides)
    assert [role.name for role in roles] == sorted(names)
    given_keys = [role.canonical for role in roles if role.canonical is not None]
    assert len(set(given_keys)) == len(given_keys)
    assert all(role.reason.endswith(".") for role in roles)


@given(st.lists(st.sampled_from(NAMES), unique=True, min_size=1), overrides_of)
def test_the_engine_sees_what_the_roles_say(names, overrides):
    frame = pl.DataFrame({"run_id": "a", "metric": names, "value": [float(i) for i in range(len(names))]})
    seen = under_roles(frame, overrides)
    by_name = dict(zip(names, frame["value"], strict=True))
    engine = guesses(seen["metric"])  # the engine's own reading of the names that it is handed
    for role in roles_of(names, overrides):
        value = by_name[role.name]
        if overrides.get(role.name) == IGNORED:
            assert value not in seen["value"]
        elif role.how is How.OVERRIDDEN:
            (handed,) = seen.filter(pl.col("value") == value)["metric"]
            assert handed == role.canonical
            assert engine[handed] == handed


@pytest.fixture(params=["file", "server"])
def uri(request, file):
    return f"sqlite:///{file}" if request.param == "file" else request.getfixturevalue("server")


def test_an_override_is_kept_in_the_store_read_by_all_and_taken_back(uri, request):
    experiment = f"roles {request.node.name} 'quoted'"
    MlflowClient(uri).create_experiment(experiment, tags={"mine": "1", "grokscope.alias.bad": "[1]"})
    store = open_store(uri)
    assert store.aliases(experiment) == {}
    strange = 'é"\\/; drop [x] ' + "n" * 300
    store.set_alias(experiment, name=strange, canonical="test/accuracy")
    store.set_alias(experiment, name="b", canonical="test/loss")
    store.set_alias(experiment, name="b", canonical=IGNORED)
    store.set_alias(experiment, name="cost", canonical="test/cost:down")
    store.set_alias(experiment, name="gain", canonical="test/score:up")
    kept = {"cost": "test/cost:down", "gain": "test/score", strange: "test/accuracy"}
    assert store.aliases(experiment) == {"b": IGNORED, **kept}
    store.clear_alias(experiment, name="b")
    store.clear_alias(experiment, name="never set")
    assert store.aliases(experiment) == kept
    tags = MlflowClient(uri).get_experiment_by_name(experiment).tags
    assert tags["mine"] == "1"


def test_what_cannot_be_a_role_and_where_there_is_no_experiment_are_told(uri, file, tmp_path):
    with pytest.raises(UnknownMetricError, match="closest: 'test/accuracy'"):
        open_store(uri).set_alias("Default", name="x", canonical="test/acuracy")
    copy = tmp_path / "gone.db"
    shutil.copy(file, copy)
    gone = open_store(f"sqlite:///{copy}")
    copy.unlink()
    for call in (
        lambda store, experiment: store.aliases(experiment),
        lambda store, experiment: store.set_alias(experiment, name="x", canonical="test/loss"),
        lambda store, experiment: store.clear_alias(experiment, name="x"),
    ):
        with pytest.raises(ExperimentNotFoundError, match="'nowhere' does not exist"):
            call(open_store(uri), "nowhere")
        with pytest.raises(MissingStoreError):
            call(gone, "Default")
    assert not copy.exists()


def test_an_overridden_curve_is_judged_as_what_it_is(file, tmp_path):
    uri = f"sqlite:///{shutil.copy(file, tmp_path / 'own.db')}"
    client = MlflowClient(uri)
    run = client.create_run(client.create_experiment("e")).info.run_id
    steps = range(0, 2000, 20)
    probe = [0.0 if s < 800 else min(1.0, (s - 800) / 400) for s in steps]
    rows = [("fitted", min(1.0, s / 80), s) for s in steps]
    rows += [("probe", value, s) for s, value in zip(steps, probe, strict=True)]
    client.log_batch(run, [Metric(name, value, 1000 + s, s) for name, value, s in rows])
    store = open_store(uri)
    points = store.points([run])
    assert detect(points)[0].pattern == "other"
    store.set_alias("e", name="fitted", canonical="train/accuracy")
    store.set_alias("e", name="probe", canonical="test/accuracy")
    assert detect(under_roles(points, store.aliases("e")))[0].pattern == "grokking"
