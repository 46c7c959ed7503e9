"""Jobs on this machine: what they tell, how they fail, and that they end with their sweep."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from grokscope.experiments import Cell, Ledger, LocalEngine, Outcome, run_sweep
from grokscope.experiments.sweeps import local

DETECTOR = "grokscope.transitions:LiveDetector"


def ends(cells, store, **options):
    found = [one for one in run_sweep(cells, store=store, engine=LocalEngine(2), **options) if one.outcome]
    return {one.cell.identity: one for one in found}


def test_jobs_report_their_progress_and_their_end_and_one_that_fails_says_why(store, short_cell):
    cells = [short_cell(), short_cell(train_fraction=2.0)]
    told = list(run_sweep(cells, store=store, engine=LocalEngine(2), detector=DETECTOR))
    good = [one for one in told if one.cell == cells[0]]
    steps = [one.step for one in good[:-1]]
    assert (steps, steps[0], steps[-1]) == (sorted(steps), 0, 20)
    assert [one.outcome for one in good] == [None] * len(steps) + [Outcome.FINISHED]
    (bad,) = (one for one in told if one.cell == cells[1])
    assert (bad.outcome, bad.code) == (Outcome.FAILED, 1)
    assert "train_fraction is above 0 and below 1, got 2.0 (all that it said:" in bad.error


def test_what_was_finished_before_is_told_before_anything_is_trained(store, home, command_cell):
    cells = [command_cell("pass", seed=seed) for seed in range(3)]
    ends(cells[2:], store, ledger=Ledger(home, store))
    told = list(run_sweep(cells, store=store, engine=LocalEngine(1), ledger=Ledger(home, store)))
    assert [(one.cell.seed, one.outcome) for one in told] == [
        (2, Outcome.EARLIER),
        (0, Outcome.FINISHED),
        (1, Outcome.FINISHED),
    ]


def test_a_detector_that_is_not_there_is_said(store, short_cell):
    cell = short_cell()
    error = ends([cell], store, detector="grokscope:nothing")[cell.identity].error
    assert "nothing" in error


def test_what_a_command_prints_is_no_progress_and_its_last_line_is_its_error(store, command_cell):
    noisy = command_cell("import os; print(3); os.write(2, b'\\xff\\nlast line\\n'); os._exit(3)")
    quiet = command_cell("print(7)")
    killed = command_cell("import os; os.kill(os.getpid(), 9)")
    told = list(run_sweep([noisy, quiet, killed], store=store, engine=LocalEngine(3)))
    assert {one.step for one in told} == {0}
    by_cell = {one.cell.identity: one for one in told}
    assert (by_cell[noisy.identity].code, by_cell[noisy.identity].error[:9]) == (3, "last line")
    assert (by_cell[quiet.identity].outcome, by_cell[quiet.identity].error) == (Outcome.FINISHED, "")
    assert by_cell[killed.identity].code == 128 + signal.SIGKILL


def test_what_a_finished_job_printed_is_removed_and_what_a_failed_one_said_is_kept(store, home, command_cell):
    good, bad = command_cell("print('fine')"), command_cell("raise SystemExit('oops')")
    told = ends([good, bad], store)
    assert [path.name for path in (home / "sweeps/logs").iterdir()] == [f"{told[bad.identity].run_id}.log"]
    assert (home / "sweeps/logs" / f"{told[bad.identity].run_id}.log").read_text() == "oops\n"


def test_a_command_that_is_not_there_is_said(store, command_cell):
    cell = command_cell("")
    missing = replace(cell, command=("no-such-command",))
    told = ends([missing], store)[missing.identity]
    assert (told.code, "'no-such-command' cannot be run" in told.error) == (127, True)


def test_a_job_that_cannot_be_started_has_failed(store, command_cell, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no more processes")

    monkeypatch.setattr(local, "_started", refuse)
    cell = command_cell("")
    told = ends([cell], store)[cell.identity]
    assert (told.outcome, told.error) == (Outcome.FAILED, "no process could be started (no more processes)")


def test_leaving_a_sweep_early_ends_its_jobs_and_all_that_they_started(
    store, command_cell, command_lines, tmp_path, wait_until
):
    (tmp_path / "child.py").write_text("import time; open('up', 'w'); time.sleep(600)")
    mark = str(tmp_path / "child.py")
    cell = command_cell(f"import subprocess, sys; subprocess.run([sys.executable, {mark!r}])")
    sweep = run_sweep([cell, command_cell("")], store=store, engine=LocalEngine(2))
    next(sweep)
    wait_until((tmp_path / "up").exists)
    sweep.close()
    wait_until(lambda: not [words for words in command_lines().values() if mark in words])


def test_a_job_that_does_not_go_by_itself_is_made_to(monkeypatch):
    monkeypatch.setattr(local, "END_SECONDS", 0.2)
    script = "import time; print(1, flush=True); time.sleep(60)"
    engine = LocalEngine(1)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
    )
    engine._running["run"] = process
    assert process.stdout.readline() == b"1\n"
    os.kill(process.pid, signal.SIGSTOP)
    engine.stop()
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL


def test_old_logs_are_removed(home):
    LocalEngine(1)
    old, new = home / "sweeps/logs/old.log", home / "sweeps/logs/new.log"
    old.touch()
    new.touch()
    os.utime(old, (0, time.time() - 31 * 86_400))
    assert LocalEngine(1).room == 1
    assert [path.name for path in (home / "sweeps/logs").iterdir()] == ["new.log"]


@pytest.fixture
def own(tmp_path, store):
    """Train a function of a test's own, once, with a record; give how it ended and what the record says."""

    def train(body: str):
        (tmp_path / "own.py").write_text(f"import os, subprocess, sys, time\n{body}")
        cell = Cell(experiment="e", group="g", seed=0, train="own.py:train")
        ledger = Ledger(tmp_path / "home", store)
        told = ends([cell], store, ledger=ledger)[cell.identity]
        (record,) = (tmp_path / "home").glob("sweeps/*/*.jsonl")
        lines = [json.loads(line) for line in record.read_text().splitlines() if line]
        return told, [line["end"] for line in lines if "end" in line]

    return train


def test_a_child_that_a_training_has_forked_says_nothing_of_its_end(own):
    told, record = own(
        "def train(seed):\n    if (child := os.fork()) == 0: sys.exit(0)\n"
        "    os.waitpid(child, 0)\n    1 / 0\n"
    )
    assert (told.outcome, record) == (Outcome.FAILED, ["failed"])


def test_a_training_that_closes_the_record_gets_no_line_of_it_into_a_file_of_its_own(own, tmp_path):
    told, record = own(
        "def train(seed):\n    os.closerange(3, 256)\n"
        "    for n in range(64): os.open('theirs', os.O_WRONLY | os.O_CREAT)\n"
    )
    assert (told.outcome, record, (tmp_path / "theirs").read_text()) == (Outcome.FINISHED, ["finished"], "")


def test_what_a_failed_training_has_started_ends_with_it(own, tmp_path, command_lines, wait_until):
    mark = str(tmp_path / "child.py")
    (tmp_path / "child.py").write_text("import time; time.sleep(600)")
    told, _ = own(f"def train(seed):\n    subprocess.Popen([sys.executable, {mark!r}])\n    sys.exit(3)\n")
    assert told.code == 3
    wait_until(lambda: not [words for words in command_lines().values() if mark in words])


def test_the_error_is_said_and_not_what_the_tracker_says_after_it(own):
    told, _ = own(
        "import atexit\ndef train(seed):\n"
        "    atexit.register(sys.stderr.write, 'grokscope: 3 points are on their way\\n')\n"
        "    raise ValueError('it diverged')\n"
    )
    assert told.error.startswith("ValueError: it diverged (all that it said")


@pytest.mark.parametrize("code", ["0", "2", "256"])
def test_a_function_that_exits_ends_with_its_own_status(store, tmp_path, code):
    (tmp_path / "own.py").write_text(f"import sys\ndef train(seed): sys.exit({code})\n")
    cell = Cell(experiment="e", group="g", seed=0, train="own.py:train")
    assert ends([cell], store)[cell.identity].code == int(code) % 256
