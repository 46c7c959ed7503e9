"""The wheel: what is in it, and what it can do with nothing but its base dependencies."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
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
# Every file that is no code, by name: what else comes along is a mistake.
ASSETS = {f"grokscope/{package}/py.typed" for package in PACKAGES} | {
    "grokscope/schemas/arrays.json",
    "grokscope/schemas/metrics.json",
    "grokscope/schemas/verdict.schema.json",
    "grokscope/dashboard/serving/ended.js",
    "grokscope/dashboard/serving/icon.svg",
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


@pytest.fixture(scope="session")
def bare_python(wheel, tmp_path_factory):
    """The Python of an environment with the wheel and its base dependencies, and nothing else."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    constraints = REPOSITORY / "constraints.txt"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-compile", "-c", constraints, wheel],
        check=True,
        capture_output=True,
    )
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


def test_the_wheel_carries_its_licence_and_its_command(wheel):
    archive = zipfile.ZipFile(wheel)
    assert "MIT License" in archive.read("grokscope-0.1.0.dist-info/licenses/LICENSE").decode()
    assert "License-Expression: MIT" in archive.read("grokscope-0.1.0.dist-info/METADATA").decode()
    assert (
        "grokscope = grokscope.cli.main:"
        in archive.read("grokscope-0.1.0.dist-info/entry_points.txt").decode()
    )


@pytest.mark.parametrize("module", BARE)
def test_a_bare_install_imports_what_needs_no_extra(bare_python, module):
    program = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([bare_python, "-P", "-c", program], check=False, capture_output=True, text=True)
    assert printed.returncode == 0, printed.stderr
    assert {"torch", "streamlit", "sqlalchemy", "flask"} & set(json.loads(printed.stdout)) == set()


def test_a_bare_install_is_bare(bare_python):
    listed = subprocess.run(
        [bare_python, "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True
    )
    names = {package["name"].lower() for package in json.loads(listed.stdout)}
    assert {"grokscope", "mlflow-skinny", "polars"} <= names
    assert {"torch", "streamlit", "sqlalchemy", "flask", "mlflow", "altair", "psycopg"} & names == set()
