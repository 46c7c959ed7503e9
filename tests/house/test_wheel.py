"""The wheel: what is in it, what it can do with its base dependencies only, and what README does with it."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from grokscope.cli.own_code.snippets import SNIPPETS, Framework
from grokscope.dashboard.exporting.bundle import versions
from grokscope.schemas.extras import Extra, missing
from grokscope.transitions.events.records import VERSION

REPOSITORY = Path(__file__).parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
CONSTRAINTS = REPOSITORY / "constraints.txt"
ROOMS = ("schemas", "collectors", "transitions", "interventions", "experiments", "dashboard")
PACKAGES = {
    "schemas",
    "collectors",
    "transitions",
    "interventions",
    "experiments",
    "store",
    "importing",
    "answers",
    "dashboard",
    "cli",
}
RAIL = ("completion.css", "completion.js", "groups.css", "groups.js")
# Every file that is no code, by name: what else comes along is a mistake.
ASSETS = {f"grokscope/{package}/py.typed" for package in PACKAGES} | {
    "grokscope/schemas/arrays.json",
    "grokscope/schemas/metrics.json",
    "grokscope/schemas/verdict.schema.json",
    *(
        f"grokscope/dashboard/component/linked_charts/assets/{name}"
        for name in (
            "axis.js",
            "chart.js",
            "dated_chart.js",
            "linked_charts.css",
            "linked_charts.js",
            "lines.js",
            "mounted.js",
            "packing.js",
            "paths.js",
            "tooltip.js",
            "vega-licenses.txt",
            "vega.js",
        )
    ),
    *(f"grokscope/dashboard/component/rail/assets/{name}" for name in RAIL),
    "grokscope/dashboard/serving/ended.js",
    "grokscope/dashboard/serving/icon.svg",
    "grokscope/dashboard/serving/notify.js",
    "grokscope/dashboard/serving/shell.css",
    "grokscope/dashboard/serving/theme.toml",
}
BARE = (
    "grokscope.schemas",
    "grokscope.transitions",
    "grokscope.interventions",
    "grokscope.collectors",
    "grokscope.collectors.recording.spool",
)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, made from the sdist, as a release is."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, REPOSITORY],
        check=True,
        capture_output=True,
    )
    [made] = folder.glob("*.whl")
    return made


BESIDE = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def _program(name):
    found = shutil.which(name, path=BESIDE)
    assert found, f"no {name}; run make test, which installs it"
    return found


def _environment(folder):
    return {
        **os.environ,
        "GROKSCOPE_HOME": str(folder / "home"),
        "PYTHONPATH": "",
        "PATH": BESIDE,
        "PIPX_HOME": str(folder / "pipx"),
        "PIP_CONSTRAINT": str(CONSTRAINTS),
        "UV_CONSTRAINT": str(CONSTRAINTS),
    }


@pytest.fixture(scope="session")
def bare_python(wheel, tmp_path_factory):
    """The Python of an environment with the wheel and its base dependencies, and nothing else."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    # uv takes a second where pip takes half a minute; `pipx run` below tries pip.
    command = [_program("uv"), "pip", "install", "--quiet", "--python", python, wheel]
    subprocess.run(command, check=True, capture_output=True, env=_environment(folder))
    return python


def test_the_wheel_holds_the_packages_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {name for name in names if not name.startswith("grokscope-")}
    written = {
        str(path.relative_to(REPOSITORY / room))
        for room in ROOMS
        for path in (REPOSITORY / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped == written
    assert {name.split("/")[1] for name in shipped} == PACKAGES
    assert {name for name in shipped if not name.endswith(".py")} == ASSETS


def test_the_wheel_carries_its_licence_its_command_and_its_extras(wheel):
    archive, about = zipfile.ZipFile(wheel), f"grokscope-{PROJECT['version']}.dist-info"
    metadata = archive.read(f"{about}/METADATA").decode()
    assert "MIT License" in archive.read(f"{about}/licenses/LICENSE").decode()
    assert "License-Expression: MIT" in metadata
    assert "grokscope = grokscope.cli.main:" in archive.read(f"{about}/entry_points.txt").decode()
    extras = set(re.findall(r"^Provides-Extra: (.+)$", metadata, re.MULTILINE))
    assert extras - {"dev", "docs", "bench"} == {*Extra, "all", "dashboard", "mcp"}
    assert PROJECT["optional-dependencies"]["all"] == [f"grokscope[{','.join(Extra)}]"]


def test_the_sdist_makes_the_wheel_that_the_tree_makes(wheel, tmp_path):
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path, REPOSITORY]
    subprocess.run(command, check=True, capture_output=True)
    assert _files(tmp_path / wheel.name) == _files(wheel)
    with tarfile.open(wheel.with_name(f"grokscope-{PROJECT['version']}.tar.gz")) as sdist:
        tops = {Path(member.name).parts[1] for member in sdist.getmembers()}
    besides = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}
    assert tops == {*ROOMS, *besides}


def _files(wheel):
    return {
        one.filename: one.CRC for one in zipfile.ZipFile(wheel).infolist() if one.filename[-6:] != "RECORD"
    }


def test_the_version_is_written_in_one_place(wheel, bare_python):
    told = subprocess.run([bare_python.with_name("grokscope"), "--version"], check=True, capture_output=True)
    said = {told.stdout.decode().strip(), *(f"grokscope {one}" for one in (VERSION, versions()["grokscope"]))}
    assert said == {f"grokscope {PROJECT['version']}"} == {f"grokscope {version('grokscope')}"}
    assert wheel.name.split("-")[1] == PROJECT["version"]
    compose = (REPOSITORY / "docker-compose.yml").read_text()
    assert re.findall(r"image: grokscope:(\S+)", compose) == [PROJECT["version"]]


@pytest.mark.parametrize("module", BARE)
def test_a_bare_install_imports_what_needs_no_extra(bare_python, module):
    program = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([bare_python, "-P", "-c", program], check=False, capture_output=True, text=True)
    assert printed.returncode == 0, printed.stderr
    assert {"torch", "streamlit", "sqlalchemy", "flask"} & set(json.loads(printed.stdout)) == set()


def test_a_bare_install_is_bare(bare_python):
    listing = "from importlib.metadata import distributions as d; print(*(one.name.lower() for one in d()))"
    listed = subprocess.run([bare_python, "-P", "-c", listing], check=True, capture_output=True, text=True)
    names = set(listed.stdout.split())
    assert {"grokscope", "mlflow-skinny", "polars"} <= names
    assert {"torch", "streamlit", "sqlalchemy", "flask", "mlflow", "altair", "psycopg"} & names == set()


# What is tried in the bare environment, all in one process, and what each says.
LACKING = {
    "demo --headless": ("training an experiment", "torch", Extra.TORCH),
    "sweep sweep.toml": ("an experiment that trains here", "torch", Extra.TORCH),
    "backfill . --build a:b --measure c": ("backfill", "torch", Extra.TORCH),
    "up --store http://127.0.0.1:1 --no-browser": ("the dashboard", "streamlit", Extra.APP),
    "figure figure.zip": ("drawing a figure", "altair", Extra.APP),
    "compare a.csv --by lr --target loss<=1 --report a.md": ("a report or bundle", "altair", Extra.APP),
    "import curve.csv": ("MLflow on sqlite:///{folder}/mlflow.db", "sqlalchemy", Extra.APP),
    "detect postgresql://h/d": ("postgresql://h/d", "sqlalchemy", Extra.APP),
    "import events.out.tfevents.1": ("importing tensorboard logs", "tensorboard", Extra.IMPORTERS),
    "mcp": ("the MCP server", "mcp", Extra.AGENTS),
}
TRY = """
import contextlib, io, json, shlex, sys
from grokscope.cli.main import run
said = {}
for command in json.load(sys.stdin):
    sys.argv, words = ["grokscope", *shlex.split(command)], io.StringIO()
    with contextlib.redirect_stderr(words), contextlib.redirect_stdout(io.StringIO()):
        try:
            run()
        except SystemExit as ended:
            said[command] = ended.code, words.getvalue()
try:
    import grokscope.collectors.measures
except ImportError as error:
    said["measures"] = str(error)
print(json.dumps(said))
"""


def test_what_an_extra_lacks_is_said_by_one_sentence_with_the_command(bare_python, tmp_path):
    (tmp_path / "sweep.toml").write_text('train = "modular-arithmetic"\nseeds = 1')
    (tmp_path / "curve.csv").write_text("step,train/loss\n0,1\n1,0.5\n")
    (tmp_path / "events.out.tfevents.1").write_bytes(bytes.fromhex("1800000000000000a37f4b22") + bytes(28))
    done = subprocess.run(
        [bare_python, "-P", "-c", TRY], input=json.dumps([*LACKING]), cwd=tmp_path, capture_output=True,
        check=False, text=True, env=_environment(tmp_path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said.pop("measures") == missing("measuring a model", "torch", Extra.TORCH)
    for command, (what, module, extra) in LACKING.items():
        status, words = said[command]
        sentence = missing(what.format(folder=tmp_path), module, extra)
        assert (status, sentence in words) == (2, True), (command, status, words)
        assert "Traceback" not in words


def test_a_training_that_cannot_write_its_database_says_what_to_install(bare_python, tmp_path):
    script = (
        "from grokscope.collectors import Tracker\nwith Tracker(experiment='e') as t: t.log(0, {'a': 1.0})"
    )
    done = subprocess.run(
        [bare_python, "-P", "-c", script], cwd=tmp_path, capture_output=True, check=True, text=True,
        env=_environment(tmp_path),
    )  # fmt: skip
    said = missing(f"MLflow on sqlite:///{tmp_path}/mlflow.db", "sqlalchemy", Extra.APP)
    kept = "Until then points are kept on disk, and 'grokscope sync' sends them."
    assert done.stderr.splitlines()[0] == f"grokscope: {said}. {kept}"


@pytest.mark.parametrize("command", [("pipx", "run", "--spec"), ("uvx", "--from")])
def test_the_wheel_runs_without_being_installed(wheel, tmp_path, command):
    done = subprocess.run(
        [_program(command[0]), *command[1:], wheel, "grokscope", "--help"],
        cwd=tmp_path, env=_environment(tmp_path), capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Usage: grokscope [OPTIONS] COMMAND [ARGS]..." in done.stdout


@pytest.fixture
def python_with_torch(bare_python):
    """The bare environment; torch and MLflow, minutes to install, are this one's, last on the path."""
    site = next((bare_python.parents[1] / "lib").glob("python*")) / "site-packages" / "borrowed.pth"
    site.write_text(sysconfig.get_path("purelib"))
    yield bare_python
    site.unlink()


def test_from_the_wheel_to_a_verdict_on_a_loop_of_ones_own_as_readme_says(
    python_with_torch, tmp_path, capsys
):
    command = python_with_torch.with_name("grokscope")

    def run(*words):
        done = subprocess.run(
            [*words], cwd=tmp_path, env=_environment(tmp_path), capture_output=True, check=False, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    begun = time.monotonic()
    run(command, "init", "--write", "own.py")
    added = [line for line in (tmp_path / "own.py").read_text().splitlines() if re.search(r"  # \d$", line)]
    run(python_with_torch, "own.py")
    run(command, "sync")
    verdicts = run(
        command, "detect", "sqlite:///mlflow.db", "--experiment", "my-experiment", "--format", "json"
    )
    with capsys.disabled():
        sys.stdout.write(
            f"\nfrom the installed wheel to a verdict: {len(added)} lines, {time.monotonic() - begun:.0f} s\n"
        )
    assert [line.rpartition("  # ")[0] for line in added] == SNIPPETS[Framework.LOADER].added()
    assert len(added) <= 5
    [verdict] = map(json.loads, verdicts.splitlines())
    assert verdict["pattern"] == "comprehension"
