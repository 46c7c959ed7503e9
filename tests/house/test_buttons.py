"""What a button writes is written as its click arrives.

Streamlit leaves a page in drawing where it stands when somebody does the next thing. ``if st.button(...)``
late on a page is then never reached, and the click is lost: only opening a page may hang on it.
"""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted((REPOSITORY / "dashboard/grokscope/dashboard").rglob("*.py"))
OPENS = {"data.open_view", "_open"}


def lost(tree):
    """Return what is done where the page happens to have been drawn as far as a button's ``if``."""
    ifs = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    asked = [node for node in ifs if "st.button(" in ast.unparse(node.test)]
    done = [ast.unparse(one) for node in asked for one in node.body]
    kept = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Assign | ast.NamedExpr)]
    return [text for text in done if text.split("(")[0] not in OPENS] + [
        text for text in kept if "st.button(" in text
    ]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_click_on_a_page_that_is_being_drawn_is_not_lost(path):
    assert lost(ast.parse(path.read_text())) == []


@pytest.mark.parametrize(
    "code",
    [
        "if st.button('Archive'):\n    archive()",
        "asked = st.button('Keep')",
        "if x and st.button('b'): y = 1",
    ],
)
def test_a_click_that_may_be_lost_is_found(code):
    assert len(lost(ast.parse(code))) == 1


def test_opening_a_page_may_wait():
    assert lost(ast.parse("if st.button('Open'):\n    data.open_view('run', [])")) == []
