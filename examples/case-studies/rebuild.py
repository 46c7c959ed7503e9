"""Trains, computes and draws the case studies again: ``make case-studies STORE=URI [DATA=FOLDER]``.

In a page of docs/case-studies, a block of commands that is followed by a block of text is run, and the text
becomes what it prints. ``$STORE`` is the store, ``$DATA`` the folder of the public curves, and ``$WORK`` a
folder for what lies between two commands.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from figures import FIGURES, Sources

from grokscope.dashboard.exporting.files import to_svg
from grokscope.schemas.files.replacing import SHARED, replacing

REPOSITORY = Path(__file__).parents[2]
PAGES = REPOSITORY / "docs" / "case-studies"
IMAGES = REPOSITORY / "docs" / "images" / "case-studies"
CONFIGS = sorted(Path(__file__).parent.glob("*.toml"))
MOST_BYTES = 150_000

_BLOCK = re.compile(
    r"^```bash\n(?P<command>.*?)^```\n\n?```text\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_PART = re.compile(r" \| (head|tail) -n (\d+)$")

Run = Callable[[Sequence[str]], str]
"""Runs a command of words and returns what it prints."""


class CommandError(Exception):
    """A command of a page that failed."""


def commands_of(block: str) -> list[str]:
    r"""Return the commands of a block, a line each.

    >>> commands_of("grokscope detect \\\n  a.csv\n")
    ['grokscope detect a.csv']
    """
    joined = re.sub(r"\s*\\\n\s*", " ", block)
    return [line.strip() for line in joined.splitlines() if line.strip()]


def words_of(command: str, places: dict[str, str]) -> tuple[list[str], slice]:
    """Return a command's words with places filled in, and which lines of what it prints are kept.

    >>> words_of("grokscope detect '$DATA/a b.csv' | head -n 3", {"DATA": "/data"})
    (['grokscope', 'detect', '/data/a b.csv'], slice(0, 3, None))
    """
    found = _PART.search(command)
    words = shlex.split(_PART.sub("", command))
    for name, place in places.items():
        words = [word.replace(f"${name}", place) for word in words]
    if found is None:
        return words, slice(None)
    return words, slice(0, int(found[2])) if found[1] == "head" else slice(-int(found[2]), None)


def printed(block: str, places: dict[str, str], run: Run) -> str:
    """Return what the commands of a block print, one after the other."""
    said = list[str]()
    for command in commands_of(block):
        words, kept = words_of(command, places)
        said += [line.rstrip() for line in run(words).rstrip("\n").splitlines()][kept]
    return "".join(f"{line}\n" for line in said)


def rewritten(page: str, places: dict[str, str], run: Run, failed: list[str]) -> str:
    """Return a page with what its commands print now; of a block that fails, with what it printed before.

    Why it has failed is appended to ``failed``.
    """

    def anew(found: re.Match[str]) -> str:
        own = found[0]
        try:
            text = printed(found["command"], places, run)
        except CommandError as error:
            failed.append(str(error))
            return own
        return own[: found.start("text") - found.start()] + text + own[found.end("text") - found.start() :]

    return _BLOCK.sub(anew, page)


def run_here(words: Sequence[str]) -> str:
    """Run a command from the repository, with the tools of this Python, and return what it prints.

    Raises:
        CommandError: If it fails.
    """
    tool = sys.executable if words[0] == "python" else str(Path(sys.executable).with_name(words[0]))
    environment = os.environ | {"COLUMNS": "120"}
    done = subprocess.run(
        [tool, *words[1:]], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CommandError(f"{shlex.join(words)} ended with status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def train(store: str, workers: str) -> None:
    """Train what the store lacks."""
    tool = str(Path(sys.executable).with_name("grokscope"))
    for config in CONFIGS:
        subprocess.run(
            [tool, "sweep", str(config), "--store", store, *(["--workers", workers] if workers else [])],
            cwd=REPOSITORY,
            check=True,
        )


def rebuild(page: Path, sources: Sources) -> str:
    """Write one page and its figures anew; return what was done.

    Raises:
        CommandError: If a command of the page failed; all else of it is written.
    """
    text = page.read_text(encoding="utf-8")
    if "$DATA" in text and sources.data is None:
        return "left as it is: it needs the public curves (DATA=FOLDER)"
    with TemporaryDirectory() as work:
        places = {"STORE": sources.store, "DATA": str(sources.data), "WORK": work}
        failed: list[str] = []
        _write(page, rewritten(text, places, run_here, failed).encode())
    for name, draw in FIGURES.get(page.stem, {}).items():
        svg = to_svg(draw(sources))
        if len(svg) > MOST_BYTES:
            raise SystemExit(
                f"{name}.svg has {len(svg):,} bytes, and at most {MOST_BYTES:,} are kept in docs"
            )
        _write(IMAGES / f"{name}.svg", svg)
    if failed:
        raise CommandError("; ".join(failed))
    return "written"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, mode=SHARED) as part:
        part.write_bytes(content)


def main() -> None:
    """Train, then write every page, or those that are named."""
    parser = argparse.ArgumentParser(description="Trains, computes and draws the case studies again.")
    parser.add_argument("pages", nargs="*", help="names of pages, such as emergence; all without")
    parser.add_argument("--store", required=True, help="MLflow URI of what is trained here")
    parser.add_argument("--data", type=Path, help="folder of the public curves")
    parser.add_argument("--workers", default="", help="runs at a time")
    parser.add_argument("--no-training", action="store_true", help="take the runs that the store has")
    asked = parser.parse_args()
    if not asked.no_training:
        train(asked.store, asked.workers)
    sources = Sources(store=asked.store, data=None if asked.data is None else asked.data.resolve())
    pages = [PAGES / f"{name}.md" for name in asked.pages] or sorted(PAGES.glob("*.md"))
    failed = 0
    for page in pages:
        try:
            said = rebuild(page, sources)
        except CommandError as error:
            said, failed = f"a command failed, its text is as it was: {error}", failed + 1
        print(f"{page.stem}: {said}", flush=True)
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
