"""Every command and snippet of docs/ is run as it stands there, or told here with why it is not."""

import re
import shlex
import shutil
import tomllib
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import torch
import typer

from grokscope.cli.main import app
from grokscope.collectors import Tracker
from grokscope.collectors.testing import MemorySink
from grokscope.transitions.evaluation.synthetic import CurveRecipe, synthetic_run

REPOSITORY = Path(__file__).parents[2]
COMMANDS = typer.main.get_command(app).commands
EXTRAS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
TARGETS = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))

# Pages whose snippets have what they need in tests of their own.
ELSEWHERE = {
    **{
        f"case-studies/{path.name}": "tests/examples/test_case_studies.py"
        for path in (REPOSITORY / "docs" / "case-studies").glob("*.md")
    },
    "cluster.md": "tests/experiments/cluster/test_connection.py",
    "commands.md": "tests/cli/test_readme.py",
    "figures.md": "tests/cli/test_figure.py",
    "integrations.md": "tests/collectors/integrations/test_document.py",
    "quickstart.md": "tests/docs/test_snippets.py",
    "queries.md": "tests/schemas/runs/query/test_document.py",
    "sweeps.md": "tests/cli/test_sweeps_page.py",
}
# Blocks that are neither commands nor Python: diagrams, which other tests hold.
DRAWN = {"architecture.md": "tests/house/test_architecture.py"}
# Commands that are parsed and not run, with the reason.
PARSED_ONLY = {
    "up": "serves until it is stopped",
    "mcp": "serves until it is stopped",
    "demo": "trains for minutes and serves",
    "backfill": "needs a folder of checkpoints",
    "figure": "needs a figure bundle",
    "sweep": "trains",
}
# Python that is compiled and not run, with the reason.
COMPILED_ONLY = {"importing.md": "Aim does not install beside grokscope"}
# Commands that end with another status than 0 in this folder, with the reason.
NOT_ZERO = {"import . --dry-run": 1}  # text logs beside tables are named and left out
OTHER_PROGRAMS = {"pip", "make", "python", "mlflow", "docker", "cp", "ray"}

DOCS = REPOSITORY / "docs"
WITH_COMMANDS = [
    path.relative_to(DOCS).as_posix()
    for path in sorted(DOCS.rglob("*.md"))
    if re.search(r"^(\$ )?grokscope [a-z]", path.read_text(), re.MULTILINE)
]

PLACES = {
    "SOURCE": "sqlite:///mlflow.db",
    "STORE": "sqlite:///mlflow.db",
    "URI": "sqlite:///mlflow.db",
    "PARAM": "weight_decay",
    "QUESTION": "when",
    "NAME": "sweep",
    "CONFIG": "sweep.toml",
}
MORE = {"compare": ("--experiment", "sweep")}
"""What a command that names no experiment needs in a store with two."""


@pytest.fixture
def folder(recorded, tmp_path, monkeypatch) -> Path:
    """The folder in which the pages' reader is: a store, and logs under the names that the pages use."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(recorded, tmp_path, dirs_exist_ok=True)
    curves = synthetic_run(CurveRecipe(evaluations=60)).select("step", "metric", "value")
    wide = curves.pivot("metric", index="step", values="value").with_columns(
        tokens=pl.col("step") * 1000,
        gain=pl.col("test/accuracy"),
        fit=1 - pl.col("train/accuracy"),
        far=1 - pl.col("test/accuracy"),
    )
    for name in ("log.csv", "curves.csv", "runs/a.csv", "wandb/b.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        wide.write_csv(tmp_path / name)
    lines = [
        f"step {step}: train loss {2 / (1 + step):.4f}, val loss {2.1 / (1 + step):.4f}\n"
        for step in range(60)
    ]
    (tmp_path / "train.log").write_text("".join(lines))
    (tmp_path / "mine.log").write_text("".join(lines))
    return tmp_path


def _lines(page):
    """Commands of a page's blocks, a line each; continued ones joined, prompts taken off."""
    for block in page.blocks:
        if block.info not in ("", "console", "sh", "bash"):
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            words = words[: words.index("|")] if "|" in words else words  # what cuts a long answer short
            if words:
                yield f"docs/{page.name}:{block.line}", words


def _commands(pages):
    return [found for page in pages.values() if page.name not in DRAWN for found in _lines(page)]


def _filled(words):
    name, *rest = words
    given = [PLACES.get(word, word) for word in rest]
    known = {"METRIC": "test/accuracy", "VALUE": "0.9"}
    given = [re.sub(r"\b(METRIC|VALUE)\b", lambda found: known[found[0]], word) for word in given]
    given = ["test/accuracy>=0.9" if word == "val_loss<=3.28" else word for word in given]
    return [name, *given, *(() if "--experiment" in given else MORE.get(name, ()))]


def test_every_line_of_a_block_is_a_command_that_is_known(pages):
    programs = {(where, words[0]) for where, words in _commands(pages) if words[0] != "grokscope"}
    assert {(w, p) for w, p in programs if p not in OTHER_PROGRAMS and "queries.md" not in w} == set()


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_every_grokscope_command_of_a_page_runs(page, pages, grokscope, folder):
    failed = []
    for where, words in _lines(pages[page]):
        if words[0] != "grokscope":
            continue
        name, *rest = _filled(words[1:])
        if name in PARSED_ONLY or page in ELSEWHERE:
            COMMANDS[name].make_context(name, rest)
            continue
        status, out, err = grokscope(name, *rest)
        if status != NOT_ZERO.get(shlex.join(words[1:]), 0) or not out + err:
            failed.append(f"{where}: {shlex.join(words)} ended with {status}: {err}")
    assert "\n".join(failed) == ""


def test_what_other_programs_are_asked_for_is_there(pages, folder):
    for where, words in _commands(pages):
        if words[0] == "pip":
            extras = {
                extra
                for word in words
                for named in re.findall(r"\[(.+?)\]", word)
                for extra in named.split(",")
            }
            assert extras <= set(EXTRAS), where
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= TARGETS, where


def test_every_command_that_a_sentence_names_has_the_options_that_it_names(pages):
    wrong, seen = [], 0
    for page in pages.values():
        for span in page.spans:
            found = re.match(r"grokscope ([a-z]+)\b(.*)", span, re.DOTALL)
            if found is None:
                continue
            seen += 1
            command = COMMANDS.get(found[1])
            known = {option for param in command.params for option in param.opts} if command else set()
            asked = set(re.findall(r"(?<=\s)--[a-z-]+", found[2]))
            if command is None or not asked <= {"--help"} | known:
                wrong.append((page.name, span))
    assert wrong == []
    assert seen > 30


def test_every_make_and_python_command_of_a_sentence_is_there(pages):
    spans = [(page.name, span) for page in pages.values() for span in page.spans]
    targets = [(name, span) for name, span in spans if re.fullmatch(r"make [a-z-]+.*", span, re.DOTALL)]
    assert [(n, s) for n, s in targets if s.split()[1] not in TARGETS] == []
    scripts = [
        (n, s.split()[1]) for n, s in spans if s.startswith("python ") and s.split()[1].endswith(".py")
    ]
    assert [(n, s) for n, s in scripts if not (REPOSITORY / s).is_file()] == []


def _given():
    """What the pages' reader has."""
    model = torch.nn.Linear(2, 2)
    return SimpleNamespace(
        Tracker=partial(Tracker, sink=MemorySink()),
        model=model,
        optimizer=torch.optim.AdamW(model.parameters()),
        points=synthetic_run(CurveRecipe(evaluations=150)),
    )


def test_the_python_of_every_page_runs_as_one_session(pages, folder):
    ran = []
    for page in pages.values():
        names = dict(vars(_given()))
        for block in page.blocks:
            if not block.info.startswith("python") or page.name in ELSEWHERE:
                continue
            code = compile(block.text, f"docs/{page.name}:{block.line}", "exec")
            if page.name not in COMPILED_ONLY:
                exec(code, names)
                ran.append(page.name)
        if isinstance(tracker := names.get("tracker"), Tracker):
            tracker.close()
    assert "detection.md" in ran


def test_the_quickstart_leads_to_a_judged_run_in_the_store_of_its_folder(pages, grokscope, folder):
    (block,) = (block for block in pages["quickstart.md"].blocks if block.info == "python")
    exec(compile(block.text, "docs/quickstart.md", "exec"), {})
    assert grokscope("sync")[0] == 0
    status, out, err = grokscope("detect", "sqlite:///mlflow.db", "--experiment", "quickstart")
    assert (status, err) == (0, "")
    assert out.split()[:8] == [
        "run",
        "pattern",
        "memorized",
        "onset",
        "midpoint",
        "completion",
        "first,",
        "seed",
    ]
    assert "comprehension" in out


def test_what_runs_elsewhere_and_what_is_not_run_is_still_there(pages):
    for page, test in {**ELSEWHERE, **DRAWN}.items():
        assert page in pages
        named = page.rpartition("/")[0] or page  # a test of a folder finds its pages by itself
        assert named in (REPOSITORY / test).read_text().replace('"docs" / "', "docs/"), test
    assert set(PARSED_ONLY) <= set(COMMANDS)
    assert {
        page for page in COMPILED_ONLY if not any(b.info == "python" for b in pages[page].blocks)
    } == set()
