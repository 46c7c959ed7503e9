"""What README and docs/commands.md tell people to type does what they say."""

import re
import shlex
import shutil
import tomllib
from pathlib import Path

import polars as pl
import pytest
import typer
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from grokscope.cli.main import app
from grokscope.cli.own_code.snippets import SNIPPETS, Framework
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text()
PAGE = (REPOSITORY / "docs" / "commands.md").read_text()
COMMANDS = re.findall(r"^\| `grokscope ([^`]+)` \|", PAGE, re.MULTILINE)
(SCRIPT,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
# Of its blocks each line, of its sentences what stands as code and begins with the command.
README_COMMANDS = re.findall(r"^grokscope ([^#\n]+?)\s*(?:#.*)?$|`grokscope ([^`]+)`", README, re.MULTILINE)

# They go on until they are stopped, or need a folder of checkpoints or a bundle: tests of their own run them.
PARSED_ONLY = ("demo", "up", "mcp", "backfill", "figure")
MORE = {"watch": "--once"}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    curves = synthetic_run(CurveRecipe(evaluations=150)).select("step", "metric", "value")
    curves.with_columns(PARAM=pl.lit("a")).write_csv(folder / "SOURCE.csv")
    (folder / "logs").mkdir()
    shutil.copy(folder / "SOURCE.csv", folder / "logs")
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
    places = {"SOURCE": folder / "SOURCE.csv", "FILE": folder / "points.csv", "FOLDER": folder / "logs"}
    places |= {
        "METRIC<=VALUE": "test/accuracy>=0.9",
        "QUESTION": "when",
        "STORE": f"sqlite:///{folder / 'mlflow.db'}",
    }
    places |= {"CONFIG": folder / "CONFIG.toml", "URI": f"sqlite:///{folder / 'mlflow.db'}"}
    words = shlex.split(command)
    return [str(places.get(word, word)) for word in (*words, *shlex.split(MORE.get(words[0], "")))]


def test_every_command_of_the_page_runs_as_it_stands_there(grokscope, folder):
    names = {command.split()[0] for command in COMMANDS}
    assert names == set(typer.main.get_command(app).commands)
    for command in COMMANDS:
        _run(command, grokscope, folder)


def test_every_command_of_the_readme_runs_as_it_stands_there(grokscope, folder):
    commands = {line or inline for line, inline in README_COMMANDS}
    assert {"init", "up --store URI", "detect FOLDER"} <= commands
    for command in commands:
        _run(command, grokscope, folder)


def _run(command, grokscope, folder):
    words = _arguments(command, folder)
    if words[0] in PARSED_ONLY:
        typer.main.get_command(app).commands[words[0]].make_context(words[0], words[1:])
        return
    status, out, err = grokscope(*words)
    assert status == 0, (command, err)
    assert out or err, command


def test_what_the_readme_makes_and_installs_is_there():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    made = re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE)
    assert made == ["demo", "test", "wheel", "docs"]
    assert set(made) <= set(targets)
    installs = re.findall(r"pip install '([^\[']+)\[([a-z,]+)\]'", README)
    assert [path for path, _ in installs] == [".", f"dist/grokscope-{project['version']}-py3-none-any.whl"]
    assert {extra for _, extras in installs for extra in extras.split(",")} == {"torch", "app"}


def test_the_readme_shows_the_lines_that_init_shows():
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    shown = (Framework.LOADER, Framework.HUGGING_FACE, Framework.LIGHTNING)
    assert blocks == [SNIPPETS[framework].code() for framework in shown]


def test_the_readme_is_two_screens_and_begins_with_a_moving_picture():
    assert len(README.splitlines()) <= 105
    (first, *_) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    picture = (REPOSITORY / first).read_bytes()
    assert picture[:4] + picture[8:12] == b"RIFFWEBP"
    assert b"ANIM" in picture[:64]
    assert len(picture) <= 2 * 2**20


def test_the_python_of_the_page_runs_as_it_stands_there():
    names = {"points": synthetic_run(CurveRecipe(evaluations=150))}
    exec(compile(SCRIPT, "commands.md", "exec"), names)
    assert [verdict.pattern for verdict in names["verdicts"]] == ["grokking"]


@pytest.mark.parametrize("name", typer.main.get_command(app).commands)
def test_the_help_of_every_command_shows_an_example_that_the_command_takes(name, grokscope, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    command = typer.main.get_command(app).commands[name]
    (example,) = re.findall(r"^Example: grokscope (.+)$", command.help, re.MULTILINE)
    assert f"Example: grokscope {example}\n" in grokscope(name, "--help")[1]
    assert f"  grokscope {example}\n" in grokscope("--help")[1]
    first, *words = shlex.split(example)
    assert first == name
    command.make_context(name, words)


def test_watch_takes_the_store_in_either_place_and_not_in_both(grokscope, folder):
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    usual = grokscope("watch", "--experiment", "E", "--once")
    assert usual[0] == 0
    assert grokscope("watch", uri, "--experiment", "E", "--once") == usual
    assert grokscope("watch", "--store", uri, "--experiment", "E", "--once") == usual
    status, _, err = grokscope("watch", uri, "--store", uri, "--experiment", "E")
    assert (status, "named twice" in err) == (2, True)
