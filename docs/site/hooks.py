"""What the site adds to the pages of docs/: the files outside that they link to.

On a code host ``[a test](../tests/x.py)`` leads to the file. The site carries a copy of each such file as
plain text, so that it needs no address of a repository; ``CHANGELOG.md`` and ``CONTRIBUTING.md`` are pages.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PAGES = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}

_LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=(?:#[^)\s]*)?\))")
_ROOT = Path(__file__).parents[2]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the two pages, and a copy of every file outside docs/ that a page links to."""
    for source, place in PAGES.items():
        text = _LINK.sub(
            lambda found: posixpath.relpath(found[0], "docs"), (_ROOT / source).read_text("utf-8")
        )
        files.append(File.generated(config, place, content=text))
    for path in sorted(set().union(*map(_linked, files.documentation_pages()))):
        if copy := _copy(path):
            files.append(File.generated(config, copy, content=(_ROOT / path).read_bytes()))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Lead links to files outside docs/ to their places in the site."""
    source = page.file.src_uri

    def moved(found: re.Match[str]) -> str:
        path = _path(found[0], source)
        place = PAGES.get(path) or _copy(path)
        return posixpath.relpath(place, posixpath.dirname(source) or ".") if place else found[0]

    return _LINK.sub(moved, markdown)


def _linked(file: File) -> set[str]:
    return {_path(link, file.src_uri) for link in _LINK.findall(file.content_string)}


def _path(link: str, source: str) -> str:
    """From the repository's root."""
    return posixpath.normpath(posixpath.join("docs", posixpath.dirname(source), link))


def _copy(path: str) -> str | None:
    """Where the copy of a file lies in the site; none of what is in docs/, or a page."""
    is_file = not path.startswith("docs/") and path not in PAGES and (_ROOT / path).is_file()
    return f"files/{path}.txt" if is_file else None
