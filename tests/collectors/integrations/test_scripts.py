"""Scripts as people write them: what arrives is what they computed themselves, at their own steps."""

import runpy
from pathlib import Path

import pytest

from grokscope.collectors import tracker
from grokscope.collectors.testing import MemorySink

FOLDER = Path(__file__).parent / "scripts"
MODULES = [runpy.run_path(str(path)) for path in sorted(FOLDER.glob("*.py"))]
SCRIPTS = {script.__name__: script for module in MODULES for script in module.get("SCRIPTS", ())}

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


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_arrives_is_what_the_script_computed(name, sinks, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = SCRIPTS[name]()
    runs = expected if isinstance(expected, list) else [expected]
    assert [sink.status for sink in sinks.values()] == ["FINISHED"] * len(runs)
    for by_hand, sink in zip(runs, sinks.values(), strict=True):
        for key, points in by_hand.items():
            found = {step: value for step, name, value in sink.rows() if name == key}
            assert found == pytest.approx(points, rel=1e-5, abs=1e-7), key
    assert "grokscope:" not in capsys.readouterr().err
