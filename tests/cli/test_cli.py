"""The command: what a newcomer reads, and what bad input gets."""

import json
import math
import socket
import sqlite3
from contextlib import closing

import polars as pl
import pytest
from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from grokscope.cli.log_files import ReadAs, named_points, read_logs
from grokscope.cli.verdict_table import say_verdicts
from grokscope.dashboard.words.patterns import PATTERN_WORDS
from grokscope.dashboard.words.sentences import TrainingEnd
from grokscope.schemas import CurveOutcome, Date, Delay, Pattern, Verdict, verdict_from_json

COMMANDS = ("demo", "sweep", "up", "detect", "sync")


@pytest.fixture
def curves(tmp_path) -> pl.DataFrame:
    steps = [*range(0, 100, 5), *range(100, 2000, 20)]
    train = [min(1.0, s / 80) for s in steps]
    test = [0.02 if s < 800 else min(1.0, 0.02 + (s - 800) / 400) for s in steps]
    rows = [("train/accuracy", train), ("test/accuracy", test)]
    return pl.concat(
        pl.DataFrame({"run": "r", "step": steps, "metric": name, "value": values}) for name, values in rows
    )


def test_help_names_every_command_and_the_way_in(grokscope):
    status, out, _ = grokscope("--help")
    assert status == 0
    for command in (*COMMANDS, "New here? Run 'grokscope demo'"):
        assert command in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_in_a_sentence_and_every_option_too(grokscope, command):
    status, out, _ = grokscope(command, "--help")
    assert status == 0
    assert f"grokscope {command}" in out
    assert out.count(".") > 2


def test_version_is_the_distributions(grokscope):
    assert grokscope("--version")[:2] == (0, "grokscope 0.1.0\n")


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_detect_reads_files_of_each_kind_and_prints_one_verdict_a_line(grokscope, curves, tmp_path, kind):
    path = tmp_path / f"curves.{kind}"
    {"parquet": curves.write_parquet, "csv": curves.write_csv, "jsonl": curves.write_ndjson}[kind](path)
    status, out, _ = grokscope("detect", str(path), "--format", "json")
    assert status == 0
    (verdict,) = map(verdict_from_json, out.splitlines())
    assert (verdict.run, verdict.pattern) == ("r", Pattern.GROKKING)
    assert 780 <= verdict.onset.step <= 920


def test_detect_prints_a_table_for_people(grokscope, curves, tmp_path):
    curves.drop("run").write_parquet(tmp_path / "my-run.parquet")
    status, out, _ = grokscope("detect", "my-run.parquet")
    assert status == 0
    head, row, gap, meaning = out.splitlines()
    assert head.split() == ["run", "pattern", "memorized", "onset", "midpoint", "completion", "delay"]
    assert row.split()[:2] == ["my-run", "grokking"]
    assert (gap, meaning) == ("", f"Grokking (generalized late): {PATTERN_WORDS[Pattern.GROKKING].sentence}")


def test_the_table_says_how_far_a_run_came_and_why_another_is_not_judged(capsys):
    outcomes = [
        CurveOutcome(metric=f"val/{name}", split="val", pattern=pattern, level=level, best=0.9)
        for name, pattern, level in (("f1", Pattern.COMPREHENSION, 0.75), ("mae", Pattern.OTHER, 0.3))
    ]
    verdicts = [
        Verdict(run="a", pattern=Pattern.COMPREHENSION, outcomes=outcomes),
        Verdict(run="b", pattern=Pattern.OTHER, missing=["Nothing ever changes. So it is."]),
    ]
    train = TrainingEnd(metric="train/f1", level=1.0, is_same_score=True)
    say_verdicts(verdicts, trained={"a": {"val/f1": train}})
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[1:7] == [
        "a comprehension – – – –",
        "val/f1 0.75 (0.9 at best; train/f1 1, gap 0.25).",
        "val/f1 0.75 comprehension – – – –",
        "val/mae 0.3 other – – – –",
        "b other – – – –",
        "Nothing ever changes.",
    ]
    assert [line.partition(" ")[0] for line in lines[8:]] == ["Comprehension", "Other"]


def test_a_date_by_the_rule_of_others_is_not_called_the_midpoint(grokscope, curves, tmp_path):
    curves.write_parquet(tmp_path / "c.parquet")
    _, out, _ = grokscope("detect", "c.parquet", "--definition", "threshold-0.95")
    assert "grokking step" in out
    assert "midpoint" not in out.splitlines()[0]


def test_detect_says_what_a_name_was_read_as_where_that_is_a_guess(grokscope, curves, tmp_path):
    theirs = {"train/accuracy": "train_acc", "test/accuracy": "unseen_acc"}
    curves.with_columns(pl.col("metric").replace(theirs)).write_parquet(tmp_path / "run.parquet")
    status, out, _ = grokscope("detect", "run.parquet")
    assert status == 0
    assert out.splitlines()[1].split()[:2] == ["r", "grokking"]
    said = "read as: unseen_acc is test/accuracy; 'unseen' tells the set by convention"
    assert out.splitlines()[-1] == said
    given = grokscope("detect", "run.parquet", "--alias", "unseen_acc=test/accuracy")[1]
    assert "read as" not in given


def test_a_score_of_ones_own_is_judged_by_the_way_that_is_better(grokscope, curves, tmp_path):
    theirs = {"train/accuracy": "fit", "test/accuracy": "far"}
    costs = curves.with_columns(pl.col("metric").replace(theirs), (5 - 3 * pl.col("value")).alias("value"))
    costs.write_parquet(tmp_path / "run.parquet")
    given = ("--alias", "fit=train/cost:down", "--alias", "far=test/cost:down")
    status, out, _ = grokscope("detect", "run.parquet", "--format", "json", *given)
    assert status == 0
    (verdict,) = map(verdict_from_json, out.splitlines())
    assert verdict.pattern is Pattern.GROKKING
    assert 780 <= verdict.onset.step <= 920


def test_detect_counts_fractional_steps_in_thousandths_and_says_so(grokscope, curves, tmp_path):
    curves.with_columns(pl.col("step") / 1000).write_parquet(tmp_path / "run.parquet")
    status, out, err = grokscope("detect", "run.parquet", "--format", "json")
    assert status == 0
    (verdict,) = map(verdict_from_json, out.splitlines())
    assert 780 <= verdict.onset.step <= 920
    sentence = "Its steps are fractions; they and all dates are counted in thousandths."
    assert verdict.missing[-1] == sentence
    assert err == f"r: {sentence}\n"


def test_one_bad_run_of_a_file_does_not_refuse_the_others(grokscope, curves, tmp_path):
    whole = curves.with_columns(pl.col("step").cast(pl.Float64))
    bad = whole.with_columns(pl.lit("bad").alias("run"), pl.lit(math.nan).alias("step")).head(3)
    pl.concat([bad, whole]).write_parquet(tmp_path / "run.parquet")
    status, out, err = grokscope("detect", "run.parquet", "--format", "json")
    assert status == 0
    assert [verdict_from_json(line).run for line in out.splitlines()] == ["r"]
    assert err == "run r: left out, since their rows have no steps: 'bad'\n"


def bad_files(folder) -> None:
    (folder / "text.db").write_text("this is no database")
    (folder / "notes.txt").write_text("nothing of a log")
    (folder / "broken.parquet").write_bytes(b"PAR1 nothing")
    (folder / "columns.csv").write_text("a,b\n1,2\n")
    (folder / "steps.csv").write_text("step,metric,value\nNaN,test/loss,2\nx,test/loss,2\n")
    with closing(sqlite3.connect(folder / "other.db")) as connection:
        connection.execute("create table t (x)")


BAD_INPUT = [
    (("detect", "nowhere.parquet"), "there is no file or folder 'nowhere.parquet'"),
    (("detect", "broken.parquet"), "'broken.parquet' cannot be read as parquet"),
    (("detect", "columns.csv"), "it has no column of steps; it has 'a', 'b'. Name one with --step NAME"),
    (("detect", "steps.csv"), "its column 'step' holds no step in any row, such as 'NaN'"),
    (
        ("detect", "notes.txt"),
        "holds nothing that is recognised; importable: CatBoost's catboost_info, TensorBoard",
    ),
    (("detect", "columns.csv", "--write"), "--write needs a store to write to"),
    (("detect", "ftp://host", "--experiment", "e"), "unknown scheme 'ftp'"),
    (("detect", "sqlite:///nowhere.db", "--experiment", "e"), "nowhere.db"),
    (("detect", "sqlite:///text.db", "--experiment", "e"), "text.db"),
    (("detect", "sqlite:///other.db", "--experiment", "e"), "other.db"),
    (("up", "--store", "ftp://host", "--no-browser"), "unknown scheme 'ftp'"),
    (("up", "--store", "sqlite:///text.db", "--no-browser"), "text.db"),
    (("demo", "--store", "ftp://host", "--headless"), "unknown scheme 'ftp'"),
    (("demo", "--store", "sqlite:///text.db", "--headless"), "text.db"),
]


@pytest.mark.parametrize(("arguments", "expected"), BAD_INPUT)
def test_bad_input_gets_one_sentence_and_a_status(grokscope, tmp_path, arguments, expected):
    bad_files(tmp_path)
    status, out, err = grokscope(*arguments)
    assert status == 2
    assert out == ""
    assert err.startswith("grokscope: ")
    assert err.count("\n") == 1
    assert expected in err


def test_a_store_that_nobody_serves_is_named(grokscope, free_port):
    address = f"http://127.0.0.1:{free_port()}"
    status, _, err = grokscope("detect", address, "--experiment", "e")
    assert status == 2
    assert address.removeprefix("http://") in err


def test_a_port_in_use_is_named_with_the_way_out(grokscope):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for command in ("up", "demo"):
            status, out, err = grokscope(command, "--port", port, "--no-browser")
            assert (status, out) == (2, "")
            assert f"port {port} is in use on 127.0.0.1; choose another with --port" in err


def test_sync_without_spools_says_so(grokscope, tmp_path):
    assert grokscope("sync")[:2] == (0, f"nothing to send: no spools in {tmp_path / 'home'}\n")


def points_in(path):
    return named_points(read_logs(str(path), ReadAs())[1]).points


def test_a_file_without_a_run_column_is_one_run_named_like_the_file(tmp_path):
    pl.DataFrame({"step": [1], "metric": ["test/loss"], "value": [0.5]}).write_csv(tmp_path / "abc.csv")
    assert points_in(tmp_path / "abc.csv").row(0) == ("abc", "test/loss", 1, None, 0.5)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_values_may_be_whole_numbers_for_the_first_thousand_rows(kind: str, tmp_path):
    path, rows = tmp_path / f"abc.{kind}", [(step, 0 if step < 1500 else 0.97) for step in range(1501)]
    lines = {
        "csv": ["step,metric,value", *(f"{step},test/accuracy,{value}" for step, value in rows)],
        "jsonl": [json.dumps({"step": s, "metric": "test/accuracy", "value": v}) for s, v in rows],
    }
    path.write_text("\n".join(lines[kind]))
    assert points_in(path)["value"].to_list() == [value for _, value in rows]


def test_json_lines_may_hold_what_python_writes_for_a_run_that_diverged(tmp_path):
    values = [1, 0.5, math.inf, math.nan]
    lines = [json.dumps({"step": i, "metric": "train/loss", "value": v}) for i, v in enumerate(values)]
    (tmp_path / "abc.jsonl").write_text("\n".join(lines))
    assert str(points_in(tmp_path / "abc.jsonl")["value"].to_list()) == "[1.0, 0.5, inf, nan]"


def test_a_broken_line_of_json_is_named_and_left_out(grokscope, tmp_path):
    (tmp_path / "abc.jsonl").write_text('{"step": 1, "metric": "train/loss", "value": 1}\n\n{"step": 2,')
    status, _, err = grokscope("detect", "abc.jsonl")
    assert status == 0
    assert err.startswith("run abc: 1 of its lines are no JSON and left out, line 3: ")


def test_the_table_shows_dates_with_intervals_and_names_as_they_are(capsys):
    date = Date(step=1550, low=1525, high=1575)
    verdict = Verdict(
        run="a", pattern=Pattern.GROKKING, in_progress=True, onset=date, delay=Delay(steps=1450, ratio=15.5)
    )
    say_verdicts([verdict], {"a": "[bold]mine[/bold]"})
    row = capsys.readouterr().out.splitlines()[1]
    assert row.split("  ")[0] == "[bold]mine[/bold]"
    assert "grokking (in progress)" in row
    assert "1,550 [1,525, 1,575]" in row
    assert "1,450 (×15.5)" in row


def test_json_on_stdout_is_never_mixed_with_anything_else(grokscope, curves, tmp_path):
    curves.write_parquet(tmp_path / "c.parquet")
    _, out, _ = grokscope("detect", "c.parquet", "--format", "json")
    assert [json.loads(line)["run"] for line in out.splitlines()] == ["r"]


def test_verdicts_are_written_to_the_runs_of_a_store(grokscope, curves, tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(uri)
    run = client.create_run(client.create_experiment("e"), run_name="mine")
    metrics = [Metric(m, v, 1000 + s, s) for _, s, m, v in curves.iter_rows()]
    client.log_batch(run.info.run_id, metrics)
    status, out, _ = grokscope("detect", uri, "--experiment", "e", "--write")
    assert (status, out.splitlines()[1].split()[:2]) == (0, ["mine", "grokking"])
    tags = client.get_run(run.info.run_id).data.tags
    assert tags["grokscope.pattern"] == "grokking"
    assert 780 <= int(tags["grokscope.onset_step"]) <= 920
    status, _, err = grokscope("detect", uri, "--experiment", "f")
    assert (status, "'f'" in err, "'e'" in err) == (2, True, True)
    status, _, err = grokscope("detect", uri)
    assert status == 2
    assert "a store needs --experiment NAME; there: 'e'" in err


def test_a_file_of_deep_json_is_one_sentence(grokscope, tmp_path):
    (tmp_path / "deep.jsonl").write_text("[" * 100_000)
    status, _, err = grokscope("detect", "deep.jsonl")
    assert status == 2
    assert "deep.jsonl" in err
    assert len(err.splitlines()) == 1
