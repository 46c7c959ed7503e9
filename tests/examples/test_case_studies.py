"""The case studies say what their commands print, as far as the public curves lie beside the checkout."""

import re
import runpy
import sys
import tomllib
from pathlib import Path

import pytest
import typer

from grokscope.cli.main import app

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "examples" / "case-studies"
INDEX = REPOSITORY / "docs" / "case-studies" / "index.md"
PAGES = sorted(page for page in INDEX.parent.glob("*.md") if page != INDEX)
CURVES = REPOSITORY.parent / "shared" / "data"
OF_PUBLISHED_CURVES = [
    page for page in PAGES if "$DATA" in page.read_text() and "$STORE" not in page.read_text()
]


@pytest.fixture(scope="module")
def rebuild():
    """The builder's module, as ``make case-studies`` runs it."""
    sys.path.insert(0, str(FOLDER))
    yield runpy.run_path(str(FOLDER / "rebuild.py"), run_name="rebuild")
    sys.path.remove(str(FOLDER))


@pytest.fixture
def run(grokscope, capfd, monkeypatch):
    """Run a command of a page in this process."""

    def here(words):
        if words[0] == "grokscope":
            status, out, err = grokscope(*words[1:])
            assert status == 0, err
            return out
        monkeypatch.setattr(sys, "argv", list(words[1:]))
        runpy.run_path(str(REPOSITORY / words[1]), run_name="__main__")
        return capfd.readouterr().out

    return here


def blocks(page):
    return re.findall(r"^```bash\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def test_every_page_is_in_the_index_with_its_figures(rebuild):
    assert PAGES
    assert [page.stem for page in PAGES if f"]({page.name})" not in INDEX.read_text()] == []
    assert sorted(rebuild["FIGURES"]) == [page.stem for page in PAGES]
    for page in PAGES:
        text = page.read_text()
        for name in rebuild["FIGURES"][page.stem]:
            figure = rebuild["IMAGES"] / f"{name}.svg"
            assert f"({Path('..') / 'images' / 'case-studies' / figure.name})" in text
            assert 0 < figure.stat().st_size <= rebuild["MOST_BYTES"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_page_is_one_that_there_is(rebuild, page):
    commands = typer.main.get_command(app).commands
    places = {"STORE": "sqlite:///a.db", "DATA": "data", "WORK": "work"}
    told = [one for block in blocks(page) for one in rebuild["commands_of"](block)]
    for command in told:
        (tool, name, *rest), _ = rebuild["words_of"](command, places)
        if tool == "grokscope":
            commands[name].make_context(name, rest)
        else:
            assert (tool, (REPOSITORY / name).is_file()) == ("python", True)
    assert told


@pytest.mark.parametrize("config", sorted(FOLDER.glob("*.toml")), ids=lambda config: config.stem)
def test_every_config_is_a_sweep_and_a_page_tells_of_it(grokscope, config):
    status, out, err = grokscope("sweep", "--dry-run", str(config))
    assert (status, err) == (0, err)
    assert tomllib.loads(config.read_text())["experiment"] in err + out
    assert any(f"{config.name})" in page.read_text() for page in PAGES)


@pytest.mark.skipif(not CURVES.exists(), reason="the public curves are not beside the checkout")
@pytest.mark.parametrize("page", OF_PUBLISHED_CURVES, ids=lambda page: page.stem)
def test_a_page_of_published_curves_says_what_its_commands_print(rebuild, page, run, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    text = page.read_text()
    failed: list[str] = []
    assert rebuild["rewritten"](text, {"DATA": str(CURVES), "WORK": str(tmp_path)}, run, failed) == text
    assert failed == []
