"""``grokscope import``: a dry run promises what the run does, and bad input gets one sentence."""

import os
import re
import zipfile

import pytest

from grokscope.store import open_store


@pytest.fixture
def table(tmp_path):
    """A wide table of a run that groks, under names of somebody else."""
    lines = ["step,fitted,probe,grad norm[0]"]
    for step in range(0, 2000, 20):
        probe = 0.02 if step < 800 else min(1.0, 0.02 + (step - 800) / 400)
        lines.append(f"{step},{min(1.0, step / 80)},{probe},1.0")
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_dry_run_says_what_the_run_then_does_and_writes_nothing(grokscope, table, tmp_path):
    status, promised, kind = grokscope("import", str(table), "--dry-run", "--experiment", "e")
    assert status == 0
    assert "mine.csv: 1 file, 1 run of table" in kind
    assert "would make 1 run, found 0 runs imported before, would add 300 points in sqlite:///" in promised
    first, *_ = promised.splitlines()
    assert first == "mine\ttable\te\tnew run\t3 metrics\t300 points (300 new)\tsteps 0 to 1,980"
    assert "renamed, since MLflow takes no such name: 'grad norm[0]' to 'grad norm_0_-" in promised
    assert not (tmp_path / "mlflow.db").exists()
    status, done, _ = grokscope("import", str(table), "--experiment", "e")
    assert status == 0
    lines = promised.splitlines()
    assert done.splitlines()[:-1] == lines[:-1]
    assert done.splitlines()[-1] == lines[-1].replace("would make", "made").replace("would add", "added")
    status, again, _ = grokscope("import", str(table), "--experiment", "e")
    assert "made 0 runs, found 1 run imported before, added 0 points" in again


def test_an_imported_run_is_judged_and_aliases_are_kept_with_write(grokscope, table, tmp_path):
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    grokscope("import", str(table), "--experiment", "e")
    assert " other " in grokscope("detect", uri, "--experiment", "e")[1]
    mapped = ("--alias", "fitted=train/accuracy", "--alias", "probe=test/accuracy")
    assert " grokking " in grokscope("detect", uri, "--experiment", "e", *mapped)[1]
    assert open_store(uri).aliases("e") == {}
    grokscope("detect", uri, "--experiment", "e", *mapped, "--write")
    assert open_store(uri).aliases("e") == {"fitted": "train/accuracy", "probe": "test/accuracy"}
    assert " grokking " in grokscope("detect", uri, "--experiment", "e")[1]
    assert " other " in grokscope("detect", uri, "--experiment", "e", "--alias", "probe=-")[1]


def test_a_text_log_is_imported_by_a_pattern(grokscope, tmp_path):
    (tmp_path / "run.txt").write_text("step 0: train loss 3, val loss 4\nstep 5: train loss 2, val loss 3\n")
    pattern = r"step (?P<step>\d+): train loss (?P<train_loss>\S+), val loss (?P<val_loss>\S+)"
    status, out, _ = grokscope("import", "run.txt", "--pattern", pattern)
    assert status == 0
    assert "read in run: train_loss is train/loss (sure); val_loss is val/loss (sure)" in out
    store = open_store(f"sqlite:///{tmp_path}/mlflow.db")
    assert store.runs("imported")["name"].to_list() == ["run"]
    assert store.points(store.runs()["run_id"].to_list())["value"].to_list() == [3.0, 2.0, 4.0, 3.0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "gone"), "there is no file or folder 'gone'"),
        (("import", "mine.csv", "--max-points", "10"), "10; raise the cap with --max-points"),
        (("import", "mine.csv", "--kind", "text"), "no line of 'mine.csv' has a step and a score"),
        (("import", "mine.csv", "--pattern", "("), "is no regular expression"),
        (("import", "mine.csv", "--pattern", "(?P<loss>x)"), "needs (?P<step>…) and a group for each metric"),
        (("import", "mine.csv", "--store", "ftp://host"), "unknown scheme 'ftp'"),
        (("detect", "mine.csv", "--alias", "probe"), "--alias takes NAME=KEY, got 'probe'"),
        (("detect", "mine.csv", "--alias", "probe=val/acc"), "closest: 'val/accuracy'"),
    ],
)
def test_bad_input_gets_one_sentence_and_a_status(grokscope, table, arguments, said):
    status, out, err = grokscope(*arguments)
    assert (status, out) == (2, "")
    assert said in err
    sentences = [line for line in err.splitlines() if line.startswith("grokscope: ")]
    assert len(sentences) == 1
    assert re.search("Traceback", err) is None


def test_a_folder_with_a_broken_file_is_imported_without_it_and_the_status_says_so(
    grokscope, table, tmp_path
):
    (tmp_path / "logs").mkdir()
    table.rename(tmp_path / "logs" / "mine.csv")
    (tmp_path / "logs" / "note.txt").write_text("x")
    status, out, err = grokscope("import", "logs", "--experiment", "e")
    assert (status, "1 other file left out as no logs" in err) == (0, True)
    (tmp_path / "logs" / "broken.csv").write_bytes(b"\x1f\x8bx")
    status, out, err = grokscope("import", "logs", "--experiment", "e")
    assert (status, "found 1 run imported before" in out) == (1, True)
    assert "grokscope: skipped broken.csv: 'broken.csv' is packed with gzip; unpack it first" in err


def test_what_counts_the_steps_can_be_named(grokscope, tmp_path):
    (tmp_path / "log.csv").write_text("step,tokens,loss\n1,100,3\n2,200,2\n")
    status, out, _ = grokscope("import", "log.csv", "--step", "tokens", "--dry-run")
    assert (status, out.splitlines()[0].split("\t")[-1]) == (0, "steps 100 to 200")


def test_a_file_whose_name_is_no_text_is_judged_and_imported(grokscope, tmp_path):
    path = tmp_path / os.fsdecode(b"m\xfe.csv")
    path.write_text("step,loss\n1,0.5\n2,0.25\n")
    status, out, _ = grokscope("detect", ".")
    assert (status, "m\\udcfe" in out) == (0, True)
    status, out, _ = grokscope("import", ".", "--dry-run")
    assert (status, "would make 1 run," in out) == (0, True)


def test_an_archive_is_named_with_what_to_do(grokscope, table, tmp_path):
    (tmp_path / "logs").mkdir()
    with zipfile.ZipFile(tmp_path / "logs" / "runs.zip", "w") as archive:
        archive.write(table)
    said = "runs.zip is packed; unpack it first, as packed files are not opened"
    for asked in ("logs", "logs/runs.zip"):
        status, out, err = grokscope("import", asked)
        assert (status, out, said in err) == (2, "", True)
    table.rename(tmp_path / "logs" / "mine.csv")
    status, _, err = grokscope("import", "logs", "--dry-run")
    assert (status, "left out runs.zip: is packed; unpack it first" in err) == (0, True)


def test_detect_takes_as_many_points_as_it_is_told(grokscope, table):
    status, out, err = grokscope("detect", "mine.csv", "--max-points", "10")
    assert (status, out, "more than 10; raise the cap with --max-points" in err) == (2, "", True)
    assert grokscope("detect", "mine.csv", "--max-points", "1000")[0] == 0
