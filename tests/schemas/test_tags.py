"""A tag's name is spelled in one place."""

import ast
from pathlib import Path

import pytest

from grokscope.schemas import tags

ROOT = Path(__file__).parents[2]
NAMES = [value for name, value in vars(tags).items() if name.isupper() and isinstance(value, str)]
ROOMS = ("schemas", "collectors", "transitions", "experiments", "dashboard")


def texts(path):
    """Return the strings of a file that are not docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_but_one_spells_the_name_of_a_tag(room):
    files = [path for path in (ROOT / room).rglob("*.py") if path != Path(tags.__file__)]
    assert files
    found = [(path.name, name) for path in files for text in texts(path) for name in NAMES if name in text]
    assert found == []


def test_no_two_tags_have_one_name():
    assert len(set(NAMES)) == len(NAMES)
    assert set(tags.VERDICT_TAGS) <= set(NAMES)
