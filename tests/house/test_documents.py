"""What the documents say is there, is there."""

import os
import re
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import typer
import yaml

from grokscope.cli.main import app

REPOSITORY = Path(__file__).parents[2]
MAKEFILE = (REPOSITORY / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
COMMANDS = sorted(typer.main.get_command(app).commands)


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", ".ci/run"])
def test_every_make_command_of_a_document_is_a_target(document):
    # Commands only: inline code, or a line of a code block.
    text = (REPOSITORY / document).read_text()
    commands = re.findall(r"(?:^|`)\$? ?make ((?:[a-z]+ ?)+)", text, re.MULTILINE)
    named = {target for command in commands for target in command.split()}
    assert {"test", "demo"} & named
    assert named <= TARGETS


def test_the_readme_says_how_to_start():
    assert "make demo" in (REPOSITORY / "README.md").read_text()


def test_every_command_is_on_the_page_that_the_readme_leads_to():
    assert "(docs/commands.md)" in (REPOSITORY / "README.md").read_text()
    page = (REPOSITORY / "docs" / "commands.md").read_text()
    assert [one for one in COMMANDS if not re.search(rf"^\| `grokscope {one}\b", page, re.MULTILINE)] == []


def test_make_lists_its_targets():
    listed = subprocess.run(["make", "-C", REPOSITORY, "help"], check=True, capture_output=True, text=True)
    assert {"demo", "test", "lint", "type", "bench", "constraints", "lock", "picture", "wheel"} <= set(
        re.findall(r"make (\w+)", listed.stdout)
    )


def test_the_version_has_a_place_in_the_changelog():
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()
    assert re.search(rf"^## \[(Unreleased|{re.escape(version)})\]", changelog, re.MULTILINE)


def test_every_relative_link_of_a_document_leads_somewhere():
    documents = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    links = [
        (document, target)
        for document in documents
        for target in re.findall(r"\]\(([^)#:\s]+)[^):]*\)", document.read_text())
    ]
    missing = [
        (document.name, target) for document, target in links if not (document.parent / target).exists()
    ]
    assert missing == []
    assert links


def test_every_dependency_is_pinned_without_the_name_of_a_machine():
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[a-z0-9._\-]+==[\w.]+( ; .+)?", pin)] == []
    names = {pin.split("==")[0] for pin in pins}
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    declared = [one for one in declared if not one.startswith("grokscope[")]  # extras that hold others
    assert {re.split(r"[\[<>=;]", requirement)[0].lower() for requirement in declared} <= names


def test_ci_runs_from_anywhere_without_a_terminal_and_calls_make_test(tmp_path):
    script = REPOSITORY / ".ci" / "run"
    assert os.access(script, os.X_OK)
    # A make that only says how it was called: what is tested here is the script, not make test.
    (tmp_path / "make").write_text('#!/bin/sh\necho "$PWD $*"\nif read -r line; then exit 9; fi\n')
    (tmp_path / "make").chmod(0o755)
    called = subprocess.run(
        [script],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
    )
    assert called.stdout == f"{REPOSITORY} test\n"


def test_the_install_needs_python_3_11_and_says_so(tmp_path):
    old = tmp_path / "python"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.2"\nexit 1\n')
    old.chmod(0o755)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((REPOSITORY / name).read_bytes())
    asked = subprocess.run(
        # Under `make test` a make inside would greet and take its leave on stdout.
        ["make", "--no-print-directory", f"PYTHON={old}", "demo"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert asked.returncode != 0
    assert "grokscope needs Python 3.11 or newer, got Python 3.9.2" in asked.stderr
    assert asked.stdout == ""


def test_every_python_that_the_project_names_is_one_that_ci_runs():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    named = [c.rpartition(" :: ")[2] for c in project["classifiers"] if "Python :: 3." in c]
    workflow = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "ci.yml").read_text())
    (job,) = workflow["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == named
    assert job["steps"][-1] == {"run": ".ci/run"}
