"""Scripts as people write them: what arrives is what they computed themselves, at their own steps."""

import ast
import runpy
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from grokscope.collectors import tracker
from grokscope.collectors.testing import MemorySink

FOLDER = Path(__file__).parent / "scripts"


def named_scripts(path: Path) -> list[str]:
    """Return the names in a file's ``SCRIPTS``; the file is not run, for it imports whole frameworks."""
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "SCRIPTS":
            return [ast.unparse(name) for name in statement.value.elts]
    return []


SCRIPTS = {name: path for path in sorted(FOLDER.glob("*.py")) for name in named_scripts(path)}
run_file = cache(runpy.run_path)

pytestmark = pytest.mark.filterwarnings(
    "ignore::lightning.fabric.utilities.warnings.PossibleUserWarning",
    "ignore:.*LeafSpec:FutureWarning",
    "ignore::FutureWarning:keras",
)


@pytest.fixture
def sinks(monkeypatch) -> list[MemorySink]:
    """Give the sinks that trackers open, one a run, where a run of an earlier process goes on in its own."""
    opened: dict[str, MemorySink] = {}

    def open_sink(run_id: str, **_: object) -> MemorySink:
        return opened.setdefault(run_id, MemorySink())

    monkeypatch.setattr(tracker, "open_sink", open_sink)
    return opened


@pytest.fixture
def script(request) -> Callable[[], object]:
    """Give the script of a name; what its file imports is imported once."""
    return run_file(str(SCRIPTS[request.param]))[request.param]


@pytest.mark.parametrize("script", SCRIPTS, indirect=True)
def test_what_arrives_is_what_the_script_computed(script, sinks, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = script()
    runs = expected if isinstance(expected, list) else [expected]
    assert [sink.status for sink in sinks.values()] == ["FINISHED"] * len(runs)
    for by_hand, sink in zip(runs, sinks.values(), strict=True):
        for key, points in by_hand.items():
            found = {step: value for step, name, value in sink.rows() if name == key}
            assert found == pytest.approx(points, rel=1e-5, abs=1e-7), key
    assert "grokscope:" not in capsys.readouterr().err


def test_every_file_of_scripts_says_which_are_run():
    assert all(named_scripts(path) for path in FOLDER.glob("*.py"))
    assert len(SCRIPTS) == sum(len(named_scripts(path)) for path in FOLDER.glob("*.py"))
