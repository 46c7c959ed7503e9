"""A report is one file that loads and runs nothing, whatever the names in it."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest
from markdown_it import MarkdownIt

from grokscope.dashboard.exporting.report import Selected, selection_report

EVIL = "![b](http://evil.example/x.png) <script>alert(1)</script> | ]]> \x00\u202e **x** " + "y" * 10_000
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><clipPath id="clip1"/><g clip-path="url(#clip1)"/></svg>'


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def selected():
    runs = pl.DataFrame(
        {"run_id": ["0" * 32], "run": [EVIL], "onset": [12_000], "onset 95 %": ["[11,000, 13,000]"],
         "final": [0.98765], "held-out curve": [[0.1, 0.2]], "delay": [None]}
    )  # fmt: skip
    groups = pl.DataFrame({"group": [EVIL], "runs": [1]})
    return Selected(
        title=EVIL, runs=runs, groups=groups, sentences=[f"{EVIL} grokked."],
        figures={"one": SVG, EVIL: SVG}, made_by={"grokscope": "0.1.0", EVIL: EVIL},
    )  # fmt: skip


def test_a_report_has_dates_with_their_intervals_and_leaves_ids_and_curves_out(selected):
    page = selection_report(selected, html=True)
    assert "<td>12,000</td><td>[11,000, 13,000]</td><td>0.9877</td><td>–</td>" in page
    assert "0" * 32 not in page
    assert "held-out curve" not in page
    assert "<li>grokscope: 0.1.0</li>" in page


def test_no_name_becomes_a_tag_and_the_policy_lets_nothing_in(selected):
    page = selection_report(selected, html=True)
    tags = Tags(page).tags
    allowed = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ul", "li", "table", "tr",
               "th", "td", "figure", "svg", "clippath", "g"}  # fmt: skip
    assert {tag for tag, _ in tags} <= allowed
    assert not any(name in attributes for _, attributes in tags for name in ("src", "href", "onerror"))
    (policy,) = [a["content"] for tag, a in tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert "\x00" not in page
    assert "\u202e" not in page


def test_figures_on_one_page_do_not_share_their_names_within(selected):
    page = selection_report(selected, html=True)
    ids = re.findall(r'id="([^"]+)"', page)
    assert len(set(ids)) == len(ids) == 2
    assert [f"url(#{name})" in page for name in ids] == [True, True]


def test_markdown_shows_names_letter_for_letter_and_figures_as_pictures_of_its_own(selected):
    png = b"\x89PNG"
    page = selection_report(replace(selected, figures={"one": png, EVIL: png}), html=False)
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    inline = [child for token in tokens for child in token.children or ()]
    pictures = [child.attrs["src"] for child in inline if child.type == "image"]
    assert len(pictures) == 2
    assert all(source.startswith("data:image/png;base64,") for source in pictures)
    assert {child.type for child in inline} <= {"text", "text_special", "image", "softbreak"}
    assert not any(token.type == "html_block" for token in tokens)
