"""A kind of event is its file in the engine and one row here; none can be forgotten."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

from grokscope.dashboard.words.events import EVENT_STYLES, said_of
from grokscope.schemas import KINDS_LOST, Kind, Status
from grokscope.transitions import events

ROOT = Path(__file__).parents[3]


def makers(kind):
    """Return the modules of the engine that make events of this kind."""
    modules = [
        importlib.import_module(f"{events.__name__}.{m.name}") for m in pkgutil.iter_modules(events.__path__)
    ]
    named = re.compile(rf"\bKind\.{kind.name}\b")
    return [module.__name__ for module in modules if named.search(inspect.getsource(module))]


def test_every_kind_has_a_row_that_tells_it_from_all_others():
    assert set(EVENT_STYLES) == set(Kind)
    for part in ("sentence", "shape"):
        assert len({getattr(style, part) for style in EVENT_STYLES.values()}) == len(Kind)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_made_in_one_file_and_explained_in_the_docs(kind):
    assert len(makers(kind)) == 1
    style = EVENT_STYLES[kind]
    row = f"| {kind.word} | {style.date} | {style.sentence} |"
    assert row in " ".join((ROOT / "docs" / "detection.md").read_text("utf-8").split())


def test_no_confirmed_event_is_named_without_what_its_step_is():
    assert [said_of(kind, Status.CONFIRMED) for kind in (Kind.GENERALIZATION, Kind.OVERFITTING)] == [
        "generalization (midpoint)",
        "overfitting (best level)",
    ]


def test_what_is_lost_is_red():
    assert {kind for kind, style in EVENT_STYLES.items() if style.colour == "red"} == KINDS_LOST
