"""The pages of docs/ as they are read here, and one small store that their commands are run on."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from grokscope.cli.main import run

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block of code of a page."""

    page: str
    line: int
    info: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: its name from docs/, its blocks of code, its spans of code, and its Markdown as tokens."""

    name: str
    blocks: tuple[Block, ...]
    spans: tuple[str, ...]
    tokens: tuple[Token, ...]


def _page(path: Path) -> Page:
    name = path.relative_to(DOCS).as_posix()
    tokens = MarkdownIt().enable("table").parse(path.read_text())
    blocks = (
        Block(page=name, line=token.map[0] + 1, info=token.info, text=token.content)
        for token in tokens
        if token.type == "fence" and token.map is not None
    )
    spans = (
        child.content for token in tokens for child in token.children or () if child.type == "code_inline"
    )
    return Page(name=name, blocks=tuple(blocks), spans=tuple(spans), tokens=tuple(tokens))


@pytest.fixture(scope="session")
def pages() -> dict[str, Page]:
    return {(page := _page(path)).name: page for path in sorted(DOCS.rglob("*.md"))}


@pytest.fixture(scope="session")
def recorded(tmp_path_factory) -> Iterator[Path]:
    """A folder as a reader may have it: a store with two experiments of real runs, and some logs."""
    folder = tmp_path_factory.mktemp("recorded")
    weight_decay, fraction = "intervention.regularization.weight_decay", "intervention.data.fraction"
    runs = pl.read_parquet(REPOSITORY / "tests/data/sweep.parquet").filter(
        pl.col("metric").is_in(["train/accuracy", "test/accuracy"]),
        pl.col(weight_decay).is_in([0.0, 3.0]),
        pl.col(fraction) == pl.col(fraction).max(),
    )
    names = dict(zip(sorted(set(runs["run"])), ("seed-0", "seed 1", "seed 2", "seed 3"), strict=True))
    named = [
        runs.with_columns(
            experiment=pl.lit(experiment),
            name=pl.col("run").replace_strict(names),
            run=pl.concat_str(pl.lit(experiment), "run"),
        )
        for experiment in ("sweep", "parity")
    ]
    pl.concat(named).write_parquet(folder / "runs.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setattr(sys, "argv", ["grokscope", "import", "runs.parquet"])
        with pytest.raises(SystemExit) as ended:
            run()
    assert not ended.value.code
    return folder
