"""The table of verdicts in terminals of any width: no row is broken where a reader would stumble."""

import polars as pl
import pytest

from grokscope.cli.verdict_table import say_verdicts
from grokscope.schemas import CurveOutcome, Date, Delay, Pattern, Verdict, verdict_from_json


def grokked(run, *, by=1):
    """Return the verdict on a run whose steps are ``by`` times as many as in a small one."""
    dates = {
        name: Date(step=step * by, low=(step - 25) * by, high=(step + 25) * by)
        for name, step in (("memorized", 950), ("onset", 1500), ("midpoint", 2345), ("generalized", 4321))
    }
    return Verdict(run=run, pattern=Pattern.GROKKING, delay=Delay(steps=1395 * by, ratio=2.5), **dates)


@pytest.fixture
def printed(monkeypatch, capsys):
    """Print verdicts into a terminal so many columns wide; give its lines."""

    def call(columns, *verdicts):
        monkeypatch.setenv("COLUMNS", str(columns))
        say_verdicts(verdicts)
        table, _ = capsys.readouterr().out.split("\n\n")
        return table.splitlines()

    return call


def test_a_run_has_one_row_with_all_digits_where_there_is_room(printed):
    head, row = printed(130, grokked("decay 1, seed 3"))
    assert len(head) <= 130
    assert "2,345 [2,320, 2,370]" in row
    assert "1,395 (×2.5)" in row


def test_in_120_columns_a_usual_run_has_its_intervals_under_its_dates(printed):
    lines = printed(120, grokked("decay 1, seed 3"))
    assert max(map(len, lines)) <= 120
    assert [line.split() for line in lines[1:]] == [
        ["decay", "1,", "seed", "3", "grokking", "950", "1,500", "2,345", "4,321", "1,395", "(×2.5)"],
        ["[925,", "975]", "[1,475,", "1,525]", "[2,320,", "2,370]", "[4,296,", "4,346]"],
    ]


def test_steps_beyond_a_million_are_said_in_three_digits_where_all_digits_have_no_room(printed):
    (_, exact), (_, short) = (printed(columns, grokked("a", by=1000)) for columns in (170, 120))
    assert "2,345,000 [2,320,000, 2,370,000]" in exact
    assert "4.32M [4.3M, 4.35M]" in short
    assert "950k [925k, 975k]" in short
    assert len(short) <= 120


@pytest.mark.parametrize("columns", [60, 80])
def test_in_a_narrow_terminal_a_run_has_some_lines_and_no_date_is_broken(printed, columns):
    lines = printed(columns, grokked("a", by=1000))
    assert lines[0] == "a  grokking"
    assert max(map(len, lines)) <= columns
    said = " ".join(line.strip() for line in lines[1:])
    assert said == (
        "memorized 950,000 [925,000, 975,000] · onset 1,500,000 [1,475,000, 1,525,000] · "
        "midpoint 2,345,000 [2,320,000, 2,370,000] · completion 4,321,000 [4,296,000, 4,346,000] · "
        "delay 1,395,000 (×2.5)"
    )
    assert any("midpoint 2,345,000 [2,320,000, 2,370,000]" in line for line in lines)


def test_there_is_no_column_for_a_delay_that_no_run_has(printed):
    head, row = printed(120, Verdict(run="a", pattern=Pattern.CONFUSION))
    assert head.split() == ["run", "pattern", "memorized", "onset", "midpoint", "completion"]
    assert row.split() == ["a", "confusion", "–", "–", "–", "–"]


def test_a_note_of_a_run_is_wrapped_at_its_words(printed):
    outcome = CurveOutcome(metric="val/f1", split="val", pattern=Pattern.COMPREHENSION, level=0.9, best=0.95)
    onset = Date(step=1000, low=1000, high=1000)
    verdict = Verdict(run="a", pattern=Pattern.COMPREHENSION, onset=onset, outcomes=[outcome])
    assert printed(26, verdict) == [
        "a  comprehension",
        "  onset 1,000 [1,000, 1,000]",
        "  val/f1 0.9 (0.95 at",
        "    best).",
    ]


def test_json_has_every_digit(grokscope, tmp_path):
    steps = [step * 1_234_567 for step in range(40)]
    rows = [(m, s, min(1.0, i / 9)) for m in ("train/accuracy", "test/accuracy") for i, s in enumerate(steps)]
    pl.DataFrame(rows, schema=["metric", "step", "value"], orient="row").write_parquet(tmp_path / "c.parquet")
    (line,) = grokscope("detect", "c.parquet", "--format", "json")[1].splitlines()
    memorized = verdict_from_json(line).memorized
    assert memorized is not None
    assert memorized.high in steps


def test_each_run_of_a_file_is_read_by_itself_and_so_is_what_is_said_of_its_names(grokscope, tmp_path):
    rows = [
        (run, metric, step, step / 39)
        for run, metrics in (("a", ("loss_train", "loss_val", "reward")), ("b", ("return", "lr")))
        for metric in metrics
        for step in range(40)
    ]
    frame = pl.DataFrame(rows, schema=["run", "metric", "step", "value"], orient="row")
    frame.write_parquet(tmp_path / "c.parquet")
    out = grokscope("detect", "c.parquet")[1]
    assert "read as: reward is val/reward; it names no split" in out
    assert "read as: return" not in out


def test_the_table_says_that_fractional_steps_are_counted_in_thousandths(grokscope, tmp_path):
    rows = [
        (metric, step / 4, min(1.0, step / 9))
        for metric in ("train/accuracy", "test/accuracy")
        for step in range(40)
    ]
    frame = pl.DataFrame(rows, schema=["metric", "step", "value"], orient="row")
    frame.write_parquet(tmp_path / "mine.parquet")
    said = grokscope("detect", "mine.parquet")[2]
    assert said == "mine: Its steps are fractions; they and all dates are counted in thousandths.\n"
