"""What README tells people to type does what it says."""

import re
import shlex
import shutil
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import torch
import typer
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from grokscope.cli.main import app
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run

README = (Path(__file__).parents[2] / "README.md").read_text()
COMMANDS = re.findall(r"^\| `grokscope ([^`]+)` \|", README, re.MULTILINE)
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

# They go on until they are stopped, or need a folder of checkpoints: tests of their own run them.
PARSED_ONLY = ("demo", "up", "mcp", "backfill")
MORE = {"watch": "--once"}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    curves = synthetic_run(CurveRecipe(evaluations=150)).select("step", "metric", "value")
    curves.with_columns(PARAM=pl.lit("a")).write_csv(folder / "SOURCE.csv")
    (folder / "CONFIG.toml").write_text('command = ["true"]')
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    run = client.create_run(client.create_experiment("E"), run_name="seed 0").info.run_id
    client.log_batch(
        run, metrics=[Metric(metric, value, step, step) for step, metric, value in curves.rows()]
    )
    client.set_terminated(run)
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch) -> Path:
    """A working folder with a store in the usual place, as a first training leaves it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    return Path(shutil.copytree(made, tmp_path, dirs_exist_ok=True))


def _arguments(command: str, folder: Path) -> list[str]:
    places = {"SOURCE": folder / "SOURCE.csv", "FILE": folder / "points.csv", "FOLDER": folder}
    places |= {
        "METRIC<=VALUE": "test/accuracy>=0.9",
        "QUESTION": "when",
        "STORE": f"sqlite:///{folder / 'mlflow.db'}",
    }
    places |= {"CONFIG": folder / "CONFIG.toml", "URI": f"sqlite:///{folder / 'mlflow.db'}"}
    words = shlex.split(command)
    return [str(places.get(word, word)) for word in (*words, *shlex.split(MORE.get(words[0], "")))]


def test_every_command_of_the_readme_runs_as_it_stands_there(grokscope, folder):
    names = {command.split()[0] for command in COMMANDS}
    assert names == set(typer.main.get_command(app).commands)
    for command in COMMANDS:
        words = _arguments(command, folder)
        if words[0] in PARSED_ONLY:
            typer.main.get_command(app).commands[words[0]].make_context(words[0], words[1:])
            continue
        status, out, err = grokscope(*words)
        assert status == 0, (command, err)
        assert out or err, command


@pytest.mark.usefixtures("folder")
def test_the_python_of_the_readme_runs_as_it_stands_there():
    model = torch.nn.Linear(2, 2)
    data = (torch.randn(8, 2), torch.randint(2, (8,)))
    given = SimpleNamespace(
        model=model,
        optimizer=torch.optim.AdamW(model.parameters()),
        config={"group": "g", "seed": 0},
        batches=[data] * 3,
        train_step=lambda model, batch: torch.nn.functional.cross_entropy(model(batch[0]), batch[1]).detach(),
        train_set=data,
        test_set=data,
        points=synthetic_run(CurveRecipe(evaluations=150)),
    )
    for block in BLOCKS:
        names = dict(vars(given))
        exec(compile(block, "README.md", "exec"), names)
    assert [verdict.pattern for verdict in names["verdicts"]] == ["grokking"]
    assert len(BLOCKS) == 2


def test_watch_takes_the_store_in_either_place_and_not_in_both(grokscope, folder):
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    usual = grokscope("watch", "--experiment", "E", "--once")
    assert usual[0] == 0
    assert grokscope("watch", uri, "--experiment", "E", "--once") == usual
    assert grokscope("watch", "--store", uri, "--experiment", "E", "--once") == usual
    status, _, err = grokscope("watch", uri, "--store", uri, "--experiment", "E")
    assert (status, "named twice" in err) == (2, True)
