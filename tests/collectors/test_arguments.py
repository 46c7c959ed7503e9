"""A tracker that is made or closed wrongly says so in one sentence, and loses nothing."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from grokscope.collectors import Tracker, TrackerError
from grokscope.collectors.measures import cheap, weight_spectra
from grokscope.collectors.testing import MemorySink

DATA = (torch.randn(6, 4), torch.arange(6) % 3)
SGD = torch.optim.SGD
MODEL = nn.Linear(4, 3)
WRONG = {
    "experiment is a name of 1 to 500 characters, got ''": {"experiment": ""},
    "experiment is a name of 1 to 500 characters, got ' '": {"experiment": " "},
    "experiment is a name of 1 to 500 characters, got 5": {"experiment": 5},
    r"experiment is a name .* got 'x{50}'\.\.\. of 501 characters": {"experiment": "x" * 501},
    "name is text, got list": {"name": ["a"]},
    "a run_id is up to 100 letters": {"run_id": 5},
    "schedule is a function of a step, as every\\(100\\), got 100": {"schedule": 100},
    "schedule is a function of a step, as every\\(100\\), got 0": {"schedule": 0},
    "dense is a function of a step": {"dense": "often"},
    "detector is one with update": {"detector": 3},
    "measuring is a Measuring\\(...\\), got dict": {"measuring": {"budget": 1}},
    "measures is a list of instruments or functions, got function": {"measures": lambda _: {}},
    "measures is a list of instruments or functions, got 'norm'": {"measures": "norm"},
    "measures are instruments, .* got int": {"model": MODEL, "measures": [3]},
    "model is a torch.nn.Module, got 'e'": {"model": "e"},
    "optimizer is a torch.optim.Optimizer, or a list or mapping of them, got type": {
        "model": MODEL,
        "optimizer": [SGD],
    },
    "optimizer is a torch.optim.Optimizer, .* got 'adam'": {"model": MODEL, "optimizer": "adam"},
    "optimizer is a torch.optim.Optimizer, .* got generator": {
        "model": MODEL,
        "optimizer": MODEL.parameters(),
    },
}
STORES = {
    "wandb://x": "has the unknown scheme 'wandb'. Allowed: sqlite:///PATH",
    "ftp://ann:s3cret@x/y": "has the unknown scheme 'ftp'. Allowed: ",
    "parquet:///curves": "is a folder of points, which is only read; write to sqlite:///PATH",
    "mlflow.db": "Did you mean sqlite:///mlflow.db?",
    "localhost:5000": "Did you mean http://localhost:5000?",
    "file:///tmp/mlruns": "is a folder store, which MLflow 3 no longer opens. Move it",
    "./mlruns": "is not the address of a store. Allowed: ",
    "sqlite://": "names no file. Write sqlite:///relative/path or ",
    "sqlite:///:memory:": "names no file. Write sqlite:///relative/path or ",
    "http://": "names no host. Allowed: ",
}
USABLE = ["http://127.0.0.1:9", "postgresql+psycopg2://db/x", "postgresql:///x?host=/run", "databricks"]


@pytest.mark.parametrize("sentence", WRONG)
def test_a_wrong_argument_is_told_in_one_sentence_before_training(sentence):
    with pytest.raises(TrackerError, match=sentence):
        Tracker(**{"experiment": "e", "sink": MemorySink(), **WRONG[sentence]})


@pytest.mark.parametrize("store", STORES)
def test_an_address_of_no_store_is_told_with_what_is_allowed_and_without_its_password(store):
    with pytest.raises(TrackerError) as told:
        Tracker(experiment="e", store=store, sink=MemorySink())
    assert STORES[store] in str(told.value)
    assert "s3cret" not in str(told.value)


def test_a_wrong_address_in_the_environment_is_told_too(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "wandb://x")
    with pytest.raises(TrackerError, match="unknown scheme 'wandb'"):
        Tracker(experiment="e", sink=MemorySink())
    with pytest.raises(TrackerError, match="store is an address as text, got PosixPath"):
        Tracker(experiment="e", store=__import__("pathlib").Path("x.db"), sink=MemorySink())


@pytest.mark.parametrize("store", USABLE)
def test_an_address_that_mlflow_writes_to_is_taken(store):
    assert Tracker(experiment="e", store=store, sink=MemorySink()).store == store


def test_the_address_of_a_plugin_of_mlflow_is_taken(tmp_path, monkeypatch):
    about = tmp_path / "plugin-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[mlflow.tracking_store]\nazureml = plugin:Store\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Tracker(experiment="e", store="azureml://x", sink=MemorySink()).store == "azureml://x"


@pytest.mark.parametrize("store", ["file:///tmp/mlruns", "./mlruns"])
def test_a_folder_store_is_taken_where_mlflow_is_told_to_open_it(monkeypatch, store):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    assert Tracker(experiment="e", store=store, sink=MemorySink()).store == store


class Unreadable(dict):
    def __iter__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize("make", [Unreadable, lambda: {"config": Unreadable(a=1)}])
def test_a_config_that_cannot_be_read_is_said_and_the_run_goes_on(tmp_path, monkeypatch, capsys, make):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path))
    monkeypatch.setattr("grokscope.collectors.recording.sink.ensure_shipper", lambda *_, **__: None)
    tracker = Tracker(experiment="e", config=make(), name="n" * 251)
    tracker._run.sink.wait_shipped = lambda _: tracker._run.sink._thread.join() or 0
    tracker.log(0, {"m": 1.0})
    tracker.close()
    said = capsys.readouterr().err
    assert said.count("of the config, config (RuntimeError) cannot be read and is not logged") == 1
    assert "a run's name has at most 250 characters, got 251" in said


@pytest.mark.parametrize(
    ("given", "kept"),
    [("failed", "FAILED"), ("KILLED", "KILLED"), ("SUCCESS", "FINISHED"), (None, "FINISHED")],
)
def test_a_status_is_one_of_three_and_another_word_is_said(capsys, given, kept):
    sink = MemorySink()
    Tracker(experiment="e", sink=sink).close(given)
    assert sink.status == kept
    said = f"close takes FINISHED, FAILED, KILLED, got {given!r}; the run ends as FINISHED"
    assert (said in capsys.readouterr().err) == (given in ("SUCCESS", None))


def test_an_unknown_status_while_an_error_is_handled_ends_the_run_as_that_does():
    sink = MemorySink()
    tracker = Tracker(experiment="e", sink=sink)
    try:
        [].pop()
    except IndexError:
        tracker.close("broken")
    assert sink.status == "FAILED"


def test_a_measure_that_is_given_beside_the_defaults_or_twice_is_read_once():
    own, read = weight_spectra(), []

    def mine(context):
        read.append(context.step)
        return {"mine/step": float(context.step)}

    tracker = Tracker(MODEL, experiment="e", sink=MemorySink(), measures=[*cheap(), mine, mine])
    assert tracker.evaluate(0, train=DATA)["mine/step"] == 0.0
    assert read == [0]
    evaluator = Tracker(MODEL, experiment="e", sink=MemorySink(), measures=[own])._evaluator._evaluator
    assert evaluator._instruments._instruments["weight_spectra"] is own


@pytest.mark.parametrize("value", ["abc", None, [1.0], torch.ones(2), torch.tensor(1j)])
def test_what_a_measure_gives_that_is_no_number_costs_that_measure_only(capsys, value):
    measures = [lambda _: {"mine/value": value}]
    tracker = Tracker(MODEL, experiment="e", sink=MemorySink(), measures=measures)
    assert "train/loss" in tracker.evaluate(0, train=DATA)
    assert capsys.readouterr().err.count("lambda could not be measured at step 0") == 1


def test_two_parts_that_fail_alike_are_both_said_and_each_once(capsys):
    def first(_):
        return 1 / 0

    def second(_):
        return 1 / 0

    tracker = Tracker(MODEL, experiment="e", sink=MemorySink(), measures=[first, second])
    for step in range(3):
        tracker.evaluate(step, train=DATA, test=(1, 2), val=(1, 2))
    said = capsys.readouterr().err
    parts = ("first could", "second could", "'test' could", "'val' could")
    assert [said.count(part) for part in parts] == [1] * 4


def test_on_windows_the_import_says_that_it_is_not_supported():
    script = "import sys; sys.platform = 'win32'; sys.modules['fcntl'] = None; import grokscope.collectors"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    *trace, sentence = done.stderr.splitlines()
    assert sentence.startswith("ImportError: Windows is not supported: ")
    assert "WSL" in sentence
    assert not any("tracker.py" in line or "fcntl" in line for line in trace)


def test_a_name_made_of_a_configuration_holds_no_secret_of_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path))
    monkeypatch.setattr("grokscope.collectors.recording.sink.ensure_shipper", lambda *_, **__: None)
    tracker = Tracker(experiment="e api_key=canary", name="Namespace(lr=1, hub_token='canary')")
    (meta,) = tmp_path.glob("spool/*/meta.json")
    assert "Namespace(lr=1, hub_token=[withheld])" in meta.read_text()
    assert "canary" not in meta.read_text()
    tracker._run.sink.wait_shipped = lambda _: 0
    tracker.close()


@pytest.mark.parametrize("run_id", ["", 0, False, []])
def test_an_empty_run_id_is_no_new_run(run_id):
    with pytest.raises(TrackerError, match="a run_id is up to 100"):
        Tracker(experiment="e", run_id=run_id, sink=MemorySink())


def test_without_torch_a_model_is_refused_with_what_to_install_and_values_can_be_logged():
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from grokscope.collectors import Tracker, TrackerError\n"
        "from grokscope.collectors.testing import MemorySink\n"
        "Tracker(experiment='e', sink=MemorySink()).log(0, {'m': 1.0})\n"
        "try: Tracker(object(), experiment='e')\n"
        "except TrackerError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "measuring a model needs torch, which is not installed; run: pip install 'grokscope[torch]'. "
        "Tracker(experiment=...) alone logs without it\n"
    )
