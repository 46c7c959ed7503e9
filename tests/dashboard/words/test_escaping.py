import ast
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import grokscope.dashboard
from grokscope.dashboard import escape, plain
from grokscope.dashboard.words.escaping import JOINER

CANARIES = (
    "<img src=x onerror=alert(1)>",
    "![](http://evil.example/beacon.png)",
    "[a](javascript:alert(1))",
    "<script>alert(1)</script>",
    "http://evil.example",
    "**bold** _it_ ~~gone~~ `code`",
    "# heading",
    "- item",
    "1. item",
    "&lt;b&gt; &#x3c;",
    "a  \nb",
)
DIRECTIVES = (":material/home:", ":red[x]", ":smile:", "$x^2$", "$$y$$", "-> <-", "==m==")


def text_of(markdown):
    """What a CommonMark reader shows of it; ``None`` if anything but plain text comes out."""
    blocks = MarkdownIt("commonmark", {"html": True}).enable(["strikethrough", "table"]).parse(markdown)
    kinds = {block.type for block in blocks} - {"paragraph_open", "paragraph_close", "inline"}
    children = [child for block in blocks for child in block.children or ()]
    if kinds or {child.type for child in children} - {"text", "text_special"}:
        return None
    return "".join(child.content for child in children).replace(JOINER, "")


@pytest.mark.parametrize("address", ["http://a.b", "HTTPS://a.b", "see www.a.b now", "x@a.b", "x@www.a.b"])
def test_no_address_is_made_a_link_not_even_by_a_reader_that_looks_for_them_in_text(address):
    """As Streamlit does, with these rules, once the escapes are gone."""
    url = r"(https?:\/\/|www(?=\.))([-.\w]+)([^ \t\r\n]*)"
    mail = r"([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)"
    shown = escape(address).replace("\\", "")
    assert re.search(f"{url}|{mail}", address, re.IGNORECASE)
    assert not re.search(f"{url}|{mail}", shown, re.IGNORECASE)


@pytest.mark.parametrize("canary", CANARIES)
def test_what_others_wrote_is_shown_letter_for_letter(canary):
    assert text_of(escape(canary)) == plain(canary)


@pytest.mark.parametrize("canary", DIRECTIVES)
def test_streamlits_own_directives_are_broken(canary):
    assert all(f"\\{sign}" in escape(canary) for sign in canary if sign in ":$[]-=>")


@given(st.text(max_size=300))
def test_any_text_is_shown_letter_for_letter(text):
    assert text_of(escape(text)) == plain(text)


@given(st.text(max_size=400))
def test_plain_text_is_one_short_line_without_control_or_direction_marks(text):
    shown = plain(text)
    assert len(shown) <= 200
    assert not any(unicodedata.category(c) in {"Cc", "Cf"} for c in shown)
    assert shown == shown.strip()


def test_direction_marks_and_control_characters_are_dropped():
    assert plain("run\u202egnp.exe\x00\x1b[31m\u2066") == "rungnp.exe[31m"


def test_a_megabyte_is_cut_to_a_line():
    assert plain("a" * 1_000_000) == "a" * 199 + "…"


def test_no_page_uses_a_way_past_the_escaping():
    forbidden = {"html", "iframe", "components", "unsafe_allow_html"}
    for file in Path(grokscope.dashboard.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "st":
                assert node.attr not in forbidden, file
            if isinstance(node, ast.keyword):
                assert node.arg not in forbidden - {"html"}, file  # a report is HTML or Markdown
