"""Whatever others have called their runs, files and stores, a terminal gets text and nothing to obey."""

import ast
import io
import json
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.entities import Metric

import grokscope.cli
from grokscope.cli.main import run
from grokscope.cli.terminal import progress, say, say_json, shown
from grokscope.collectors.recording.spool import Meta, prepare_spool, publish_spool

MARKUP = "[red]r[/red] [link=http://e]l[/link]"
# Colour, a cleared screen, a link, a title, C1 controls, an overwritten line, turned text, what is not seen.
EVIL = (
    f"{MARKUP} \x1b[31m\x1b[2J\x1b]8;;http://e\x1b\\x\x1b]8;;\x1b\\\x1b]0;t\x07\x9b31m\x85"
    "\rgrokscope: all is well\u202e\u2066\u200b\u2028\x7f\x08\x00\x0b\nforged\tcolumn"
)
POINTS = pl.DataFrame(
    [
        {"run": EVIL, "metric": metric, "step": step, "value": min(1.0, max(0.0, (step - start) / 9))}
        for metric, start in ((EVIL, 0), ("train/accuracy", 0), ("test/accuracy", 300))
        for step in range(0, 500, 5)
    ]
)


class Tty(io.StringIO):
    """A terminal as far as any library asks; what goes elsewhere may be stripped of colours by them."""

    def isatty(self):
        return True


@pytest.fixture
def printed(monkeypatch, tmp_path):
    """Run a command with a terminal as its stdout; give all that it has printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROKSCOPE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(*arguments):
        out, err = Tty(), io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            patch.setattr(sys, "argv", ["grokscope", *arguments])
            with pytest.raises(SystemExit):
                run()
        return out.getvalue(), err.getvalue()

    return call


def is_text(printed):
    """Say whether nothing is obeyed; the titles of a table are bold, on a terminal."""
    ours = "".join(printed).replace("\x1b[1m", "").replace("\x1b[0m", "")
    return all(c.isprintable() or c in "\n\t" for c in ours)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("evil") / "mlflow.db"
    client = MlflowClient(f"sqlite:///{path}")
    name = EVIL.replace("\x00", "")
    made = client.create_run(client.create_experiment(name), run_name=name).info.run_id
    points = POINTS.filter(pl.col("metric") != EVIL).select("metric", "value", "step").rows()
    client.log_batch(made, [Metric(metric, value, 1 + step, step) for metric, value, step in points])
    return f"sqlite:///{path}", name


JSON = ("--format", "json")
FORMATS = [("--format", "table"), JSON, ("--sensitivity",), ("--sensitivity", *JSON)]


@pytest.mark.parametrize("options", FORMATS)
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_detect_prints_what_a_file_calls_its_runs_as_text(printed, tmp_path, ending, options):
    {"csv": POINTS.write_csv, "jsonl": POINTS.write_ndjson}[ending](tmp_path / f"points.{ending}")
    said = printed("detect", f"points.{ending}", *options)
    assert is_text(said)
    lines = said[0].removesuffix("\n").split("\n")
    if "json" in options:
        rows = [json.loads(line) for line in lines]
        assert {row.get("run", row.get("run_id")) for row in rows} == {EVIL}
    else:
        assert "[red]r[/red]" in said[0]
        assert {line.count("\t") for line in lines} == {2 if "--sensitivity" in options else 0}


def test_what_a_store_holds_is_printed_as_text_by_every_command(printed, store):
    uri, name = store
    for command in (
        ("detect", uri, "--experiment", name),
        ("detect", uri, "--experiment", name, "--format", "json"),
        ("detect", uri),
        ("watch", uri, "--experiment", name, "--once"),
        ("watch", uri, "--experiment", name, "--once", "--format", "json"),
        ("watch", uri),
        ("export", "--store", uri, "--run", f"none {EVIL}", "--to", "x.csv"),
        ("export", "--store", uri, "--to", "x\x1b[31m\r.csv"),
        ("doctor", "--store", uri),
        ("doctor", "--store", f"sqlite:///no/{name}"),
    ):
        said = printed(*command)
        assert is_text(said), command
        assert any(said), command


def test_an_import_prints_names_and_metrics_as_text(printed, tmp_path):
    POINTS.with_columns(experiment=pl.lit(f"e {EVIL}")).write_csv(tmp_path / "a\x1b[31m\r\u202e.csv")
    said = printed("import", "a\x1b[31m\r\u202e.csv", "--dry-run")
    assert is_text(said)
    first, *_ = said[0].splitlines()
    assert first.startswith(MARKUP)
    assert first.count("\t") == 6
    assert "renamed, since MLflow takes no such name: " in said[0]
    assert "a\\x1b[31m\\r\\u202e.csv: 1 file, 1 run of table" in said[1]


def test_what_a_spool_says_of_its_store_is_printed_as_text(printed, tmp_path, store):
    meta = Meta(run_id="a" * 32, store=f"http://h/{EVIL}", experiment="e", name="n", params={}, tags={})
    folder = publish_spool(prepare_spool(tmp_path / "home", meta))
    assert is_text(printed("doctor", "--store", store[0]))
    (folder / "state.json").write_text(json.dumps({"why": EVIL}))
    said = printed("doctor", "--store", store[0])
    assert is_text(said)
    assert "are stuck; the first" in " ".join(said[0].split())


@given(st.text(st.characters(exclude_categories=[]), max_size=300))
def test_any_text_is_shown_on_one_line_and_any_json_keeps_its_meaning(text):
    line = shown(text)
    assert len(line) <= 200
    assert line.isprintable()
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        say(text)
        say_json(json.dumps(text, ensure_ascii=False))
    first, second, rest = out.getvalue().split("\n")
    assert is_text(first) and second.isprintable() and not rest  # noqa: PT018 - one line each
    assert json.loads(second) == json.loads(json.dumps(text))


def test_the_words_beside_a_bar_are_no_markup(monkeypatch):
    monkeypatch.setattr(sys, "stderr", err := Tty())
    with progress() as bar:
        bar.update(bar.add_task(shown(EVIL), total=1), completed=1)
    assert "[red]" in err.getvalue()
    assert "\x1b]8;" not in err.getvalue()


def test_commands_have_no_other_way_to_the_terminal():
    others = {"typer.echo", "typer.secho", "print", "sys.stdout.write", "sys.stderr.write", "Console"}
    for file in Path(grokscope.cli.__file__).parent.rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        found = {ast.unparse(call.func) for call in calls} & others
        assert found == set() or file.name == "terminal.py", file
