"""Who may import whom, and what an import loads."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("schemas", "collectors", "transitions", "interventions", "experiments", "dashboard")
LINT = Path(sys.executable).with_name("lint-imports")
CONTRACTS = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}
# One forbidden import for every contract: (module, import, the contracts that it breaks).
FORBIDDEN = [
    ("store", "grokscope.dashboard", {"floors"}),
    ("experiments", "grokscope.transitions", {"training-side"}),
    ("importing", "grokscope.transitions", {"importer"}),
    ("transitions", "grokscope.experiments", {"floors", "reading-side", "engine"}),
    ("schemas", "numpy", {"schemas"}),
    ("transitions", "sqlalchemy", {"engine"}),
    ("dashboard", "torch", {"torch"}),
    ("collectors", "typer", {"no-screen"}),
    ("cli", "streamlit", {"streamlit"}),
    ("dashboard", "vl_convert", {"figures"}),
    ("experiments", "mlflow", {"mlflow"}),
    ("collectors", "ray", {"ray"}),
]


def lint(folder):
    """Run the contracts on the packages under ``folder``; return the names of those that broke."""
    checked = subprocess.run(
        [LINT, "--no-cache", "--config", REPOSITORY / "pyproject.toml"],
        cwd=folder,
        env={
            **os.environ,
            "COLUMNS": "300",
            "PYTHONPATH": os.pathsep.join(str(folder / room) for room in ROOMS),
        },
        check=False,
        capture_output=True,
        text=True,
    )
    broken = {
        name
        for name in CONTRACTS
        if re.search(rf"^{re.escape(CONTRACTS[name])} BROKEN", checked.stdout, re.MULTILINE)
    }
    assert (checked.returncode == 0) == (not broken), checked.stdout + checked.stderr
    return broken


def test_every_contract_is_kept():
    assert lint(REPOSITORY) == set()


def test_every_contract_has_an_import_that_breaks_it():
    assert set().union(*(broken for _, _, broken in FORBIDDEN)) == CONTRACTS.keys()


@pytest.mark.parametrize(("package", "imported", "broken"), FORBIDDEN)
def test_a_forbidden_import_is_caught(tmp_path, package, imported, broken):
    for room in ROOMS:
        shutil.copytree(REPOSITORY / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    [folder] = tmp_path.glob(f"*/grokscope/{package}")
    (folder / "intruder.py").write_text(f"import {imported}\n")
    assert lint(tmp_path) == broken


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("grokscope.schemas", {"torch", "mlflow", "streamlit", "sqlalchemy", "numpy", "scipy"}),
        ("grokscope.transitions", {"torch", "mlflow", "streamlit", "sqlalchemy"}),
        ("grokscope.collectors", {"mlflow", "streamlit", "sqlalchemy", "flask"}),
        ("grokscope.collectors.recording.spool", {"torch", "mlflow", "streamlit", "sqlalchemy", "flask"}),
        ("grokscope.store", {"torch", "streamlit"}),
        ("grokscope.cli.main", {"torch", "mlflow", "streamlit", "sqlalchemy"}),
    ],
)
def test_an_import_does_not_load_what_its_users_may_not_have_or_want(module, heavy):
    program = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert heavy & set(json.loads(printed.stdout)) == set()
