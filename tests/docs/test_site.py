"""The site of the documents builds without a warning, has every page, and loads nothing from elsewhere."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
CONFIG = REPOSITORY / "mkdocs.yml"


class _Page(HTMLParser):
    """What a page of the site links to, what it loads, and which anchors it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := named.get(name))}
        if tag == "a" and (href := named.get("href")):
            self.links.add(href)
        elif tag != "a":
            self.loaded |= {value for name in ("src", "href") if (value := named.get(name))}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(
        command, cwd=REPOSITORY, check=False, capture_output=True, text=True, env=environment
    )
    said = [line for line in (built.stdout + built.stderr).splitlines() if not line.startswith("INFO ")]
    assert (built.returncode, said) == (0, [])
    return folder


@pytest.fixture(scope="module")
def parsed(site) -> dict[Path, _Page]:
    return {path: _Page(path.read_text()) for path in site.rglob("*.html")}


def _in_nav(entry):
    if isinstance(entry, str):
        yield entry
    else:
        for part in entry.values() if isinstance(entry, dict) else entry:
            yield from _in_nav(part)


def test_every_page_of_the_documents_has_its_line_in_the_navigation():
    text = re.sub(r"!!python/\S+", "", CONFIG.read_text())
    named = list(_in_nav(yaml.safe_load(text)["nav"]))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert sorted(named) == sorted(pages | {"changelog.md", "contributing.md"})


def test_no_page_of_the_site_loads_anything_from_elsewhere(site, parsed):
    assert {url for page in parsed.values() for url in page.loaded if urlsplit(url).netloc} == set()
    for sheet in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", sheet.read_text()) == []


def test_every_link_of_the_site_leads_to_a_file_and_to_an_anchor_that_is_there(site, parsed):
    wrong, seen = set(), 0
    for path, page in parsed.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link.startswith("/") or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            seen += 1
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                wrong.add(f"{path.relative_to(site)}: {link} is no file")
            elif (
                parts.fragment and target in parsed and unquote(parts.fragment) not in parsed[target].anchors
            ):
                wrong.add(f"{path.relative_to(site)}: {link} is no anchor")
    assert wrong == set()
    assert seen > 1000


def test_the_site_has_the_public_faces_with_their_examples(site):
    page = (site / "api/collectors.html").read_text()
    assert 'id="grokscope.collectors.Tracker.evaluate"' in page
    assert re.search(r"<pre.*&gt;&gt;&gt;", page)
    assert "TrackerError" in page


def test_a_file_outside_the_documents_that_a_page_links_to_is_in_the_site_as_it_is(site):
    copy = site / "files/examples/stop_at_grokking.py.txt"
    assert copy.read_bytes() == (REPOSITORY / "examples/stop_at_grokking.py").read_bytes()
