"""``grokscope figure``: bundles drawn again, and what docs/figures.md shows."""

import re
import shlex
from pathlib import Path

import polars as pl
import pytest

from grokscope.dashboard.exporting.archive import zipped
from grokscope.dashboard.exporting.bundle import to_bundle
from grokscope.dashboard.exporting.sizes import SIZES

PAGE = (Path(__file__).parents[2] / "docs/figures.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.startswith("grokscope ")
]
BEGINS = {".svg": b"<svg", ".pdf": b"%PDF", ".png": b"\x89PNG", ".html": b"<!doctype html>"}


@pytest.fixture(scope="module")
def bundle():
    rows = [{"step": step, "value": step / 10} for step in range(10)]
    encoding = {
        "x": {"field": "step", "type": "quantitative"},
        "y": {"field": "value", "type": "quantitative"},
    }
    chart = {"data": {"values": rows}, "mark": "line", "encoding": encoding}
    return to_bundle([chart], {"curves": pl.DataFrame(rows)}, asked={}, size=SIZES["single"])


@pytest.fixture
def folder(tmp_path, bundle):
    """A folder with the files that the page speaks of."""
    (tmp_path / "figure.zip").write_bytes(bundle)
    rows = [
        (f"{wd}-{seed}", wd, step, "val_loss", 1.0 if step >= reached + seed else 3.0)
        for wd, reached in (("0.1", 50), ("1", 20))
        for seed in range(3)
        for step in range(10, 100, 10)
    ]
    names = ["run", "weight_decay", "step", "metric", "value"]
    pl.DataFrame(rows, schema=names, orient="row").write_csv(tmp_path / "runs.csv")
    return tmp_path


def test_every_command_of_the_page_does_what_it_says(grokscope, folder):
    assert len(COMMANDS) >= 5
    for command in COMMANDS:
        _, *arguments = shlex.split(command, comments=True)
        status, _, err = grokscope(*arguments)
        assert status == 0, (command, err)
        output = re.search(r"(?:--output|--bundle) (\S+)", command)
        written = folder / (output[1] if output else "figure.svg")
        assert (
            (written / "figure.svg" if written.is_dir() else written)
            .read_bytes()
            .startswith(BEGINS.get(written.suffix, b"<svg"))
        )


def test_a_figure_is_drawn_again_byte_for_byte_and_says_so(grokscope, folder, bundle):
    status, out, err = grokscope("figure", "figure.zip")
    assert (status, out) == (0, "figure: figure.svg\n")
    assert err == "It is the figure of the bundle, byte for byte.\n"
    status, _, err = grokscope("figure", "figure.zip")
    assert status == 2
    assert "'figure.svg' is there already; add --force to replace it" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no.zip"], "'no.zip' cannot be read (No such file or directory); name a .zip"),
        (["."], "cannot be read (Is a directory); name a .zip"),
        (["runs.csv"], "this is no figure bundle, or it is damaged; export the figure again"),
        (["evil.zip"], "a figure bundle holds no file '../evil.svg'; it is not opened"),
        (["figure.zip", "--output", "a.gif"], "a figure ends in .svg, .pdf, .png or .html, got 'a.gif'"),
        (["figure.zip", "--size", "huge"], "'huge' is no size of a figure; give single, double, slide"),
        (["figure.zip", "--output", "no/such/folder.svg"], "cannot be written (No such file or directory)"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_a_sentence_and_nothing_is_written(
    grokscope, folder, arguments, said
):
    (folder / "evil.zip").write_bytes(zipped({"../evil.svg": b"x", "spec.json": b"{}"}))
    before = sorted(folder.iterdir())
    status, out, err = grokscope("figure", *arguments)
    assert (status, out) == (2, "")
    assert said in " ".join(err.split())
    assert sorted(folder.iterdir()) == before
    assert not (folder.parent / "evil.svg").exists()
