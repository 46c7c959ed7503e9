"""``grokscope sync`` and ``doctor`` where much is wrong: what can be sent is, and the rest is told."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from grokscope.collectors.recording.ship.mlflow.run_store import MlflowRunStore
from grokscope.collectors.recording.ship.service import Service
from grokscope.collectors.recording.spool import LEASE_SECONDS, Cursor, find_spools, write_cursor

END = {"event": "end", "status": "FINISHED", "time_ms": 9000}


@pytest.fixture
def filled(new_spool):
    """Give a function that makes a spool of 40 points in several segments."""

    def make(run_id: str, **changes):
        folder, _, writer = new_spool(run_id, segment_bytes=500, **changes)
        for step in range(40):
            writer.points(step, 1000, {"m": float(step)})
        writer.close(END)
        return folder

    return make


def stored(tmp_path, query: str) -> dict:
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        return dict(connection.execute(query).fetchall())


def flip(path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def of_another(folder) -> None:
    """Give a spool to another user; where only root can, let all others write into it."""
    if os.geteuid() == 0:
        os.chown(folder, 65534, -1)
    else:
        folder.chmod(0o757)


def test_what_can_be_sent_is_sent_and_all_the_rest_is_told_once_with_a_status(filled, grokscope, tmp_path):
    filled("fine")
    flip(filled("flipped") / "000001.seg", 300)
    (path := filled("cut") / "000001.seg").write_bytes(path.read_bytes()[:200])
    (filled("gone") / "000001.seg").unlink()
    write_cursor(filled("lost"), Cursor(segment=77, offset=3))
    status, out, err = grokscope("sync")
    assert status == 2
    counts = stored(tmp_path, "select name, count(*) from runs natural join metrics group by 1")
    assert {name: counts[name] for name in ("fine", "flipped", "lost")} == {
        "fine": 40,
        "flipped": 39,
        "lost": 40,
    }
    assert 0 < counts["cut"] < 40
    assert 0 < counts["gone"] < 40
    assert "run 'flipped': 37 bytes could not be read (segment 1, byte 289: its checksum is wrong)" in err
    assert re.search(r"run 'cut': \d+ bytes could not be read \(segment 1, .* it has 200 bytes of \d+\)", err)
    gone = r"run 'gone': 5\d\d bytes could not be read \(segment 1, byte 0: segment 1 is missing\)"
    assert re.search(gone, err)
    assert "run 'lost': its cursor was wrong, and all that was left was sent once more" in err
    told = stored(
        tmp_path, "select name, t.value from runs natural join tags t where key = 'grokscope.damage'"
    )
    assert {*told} == {"flipped", "cut", "gone", "lost"}
    assert told["flipped"] == "37 bytes could not be read (segment 1, byte 289: its checksum is wrong)"
    assert {path.name.partition(".")[0] for path in (tmp_path / "home" / "dead").glob("*.seg")} == {
        "flipped",
        "cut",
    }
    assert grokscope("sync") == (0, f"nothing to send: no spools in {tmp_path / 'home'}\n", "")
    status, out, _ = grokscope("doctor", "--store", f"sqlite:///{tmp_path}/mlflow.db", "--format", "json")
    (damage,) = [found for found in map(json.loads, out.splitlines()) if found["subject"] == "damage"]
    assert damage["health"] == "warn"
    assert "could not be read" in damage["says"]
    assert "(and 3 more)" in damage["says"]


PLANTS = {
    "of another": of_another,
    "open": lambda folder: folder.chmod(0o777),
    "with an open file": lambda folder: (folder / "000000.seg").chmod(0o666),
    "with a link": lambda folder: (folder / "cursor.json").symlink_to(folder.parents[2] / "secret"),
    "with a pipe": lambda folder: os.mkfifo(folder / "writer.pipe"),
    "linked": lambda folder: folder.rename(folder.parents[2] / "moved") and folder.symlink_to("../../moved"),
    "leading out": lambda folder: (folder / "meta.json").write_text(
        (folder / "meta.json").read_text().replace('"r"', '"../../../../x"')
    ),
    "without meta": lambda folder: (folder / "meta.json").unlink(),
}
TOLD = {
    "of another": "belongs to|written by others",
    "open": r"can be written by others \(mode 0777\)",
    "with an open file": r"000000\.seg can be written by others \(mode 0666\)",
    "with a link": "cursor.json is a link",
    "with a pipe": "writer.pipe is no plain file; remove it",
    "linked": "is a link, and none is followed here",
    "leading out": r"its run_id cannot be '../../../../x'",
    "without meta": "has no meta.json, so nobody can tell where its 40 points",
}


@pytest.mark.parametrize("name", PLANTS)
def test_what_somebody_else_may_have_planted_is_refused_and_told_and_others_are_sent(
    filled, grokscope, tmp_path, store, name
):
    (tmp_path / "secret").write_text("mine")
    (tmp_path / "secret").chmod(0o600)
    PLANTS[name](filled("r"))
    filled("fine")
    assert Service(tmp_path / "home", store, run_store=MlflowRunStore(store), sleep=lambda _: None).run(
        idle_seconds=0.0
    )
    assert stored(tmp_path, "select name, count(*) from runs natural join metrics group by 1") == {"fine": 40}
    status, _, err = grokscope("sync")
    assert status == 2
    assert re.search(TOLD[name], err)
    assert "run 'grokscope sync'" in err or "remove it" in err or "chmod go-w" in err
    status, out, _ = grokscope("doctor", "--store", store, "--format", "json")
    (spools,) = [found for found in map(json.loads, out.splitlines()) if found["subject"] == "spools"]
    assert (status, spools["health"]) == (2, "fail")
    assert re.search(TOLD[name], spools["says"])
    assert (tmp_path / "secret").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir() if "x.json" in path.name) == []


def test_a_spool_without_a_meta_is_sent_once_the_one_that_is_told_is_written(
    filled, grokscope, tmp_path, store
):
    folder = filled("rescued", attempt=3)
    (folder / "meta.json").unlink()
    meta = re.search(r"write one with (\{.*\}), put", grokscope("sync")[2])[1]
    (folder / "meta.json").write_text(meta.replace("STORE", store).replace("EXPERIMENT", "e"))
    (folder / "meta.json").chmod(0o600)
    at = time.time() - LEASE_SECONDS - 5
    for path in folder.iterdir():
        os.utime(path, (at, at))
    assert Service(tmp_path / "home", store, run_store=MlflowRunStore(store), sleep=lambda _: None).run(
        idle_seconds=0.0
    )
    assert stored(tmp_path, "select name, count(*) from runs natural join metrics group by 1") == {
        "rescued": 40
    }
    assert stored(tmp_path, "select name, status from runs") == {"rescued": "FINISHED"}
    assert find_spools(tmp_path / "home") == []


@pytest.mark.parametrize("place", [".", "spool", "ship"])
def test_a_home_or_a_folder_in_it_that_is_not_one_s_own_is_told_and_nothing_is_written_there(
    filled, grokscope, tmp_path, place
):
    filled("r")
    (tmp_path / "home" / "ship").mkdir(mode=0o700, exist_ok=True)
    (tmp_path / "home" / "notes").touch()  # a home that holds more than our own keeps its mode
    of_another(tmp_path / "home" / place)
    before = sorted((tmp_path / "home").rglob("*"))
    status, _, err = grokscope("sync")
    assert status == 2
    assert re.search("belongs to|written by others", err)
    assert sorted((tmp_path / "home").rglob("*")) == before


def test_a_trainer_that_can_print_nowhere_has_all_its_points_in_the_store(tmp_path, store):
    script = (
        "import os\nfrom contextlib import suppress\nfrom grokscope.collectors import Tracker\n"
        "from grokscope.collectors.recording import sink\n"
        "sink.ensure_shipper = lambda *_, **__: None\n"
        "with Tracker(experiment='e', name='r') as tracker:\n"
        "    tracker._run.sink.wait_shipped = lambda _: 0\n"
        "    for step in range(1000):\n"
        "        for fd in (0, 1, 2):\n"
        "            with suppress(OSError):\n"
        "                os.write(fd, b'words of a library')\n"
        "        tracker.log(step, {'k': 'no number' if step == 500 else float(step)})\n"
    )
    environment = {**os.environ, "GROKSCOPE_HOME": str(tmp_path / "home"), "MLFLOW_TRACKING_URI": store}
    closed = ["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, script]
    subprocess.run(closed, env=environment, check=True, timeout=60)
    assert Service(tmp_path / "home", store, run_store=MlflowRunStore(store), sleep=lambda _: None).run(
        idle_seconds=0.0
    )
    query = "select name, count(*) from runs natural join metrics where key = 'k' group by 1"
    assert stored(tmp_path, query) == {"r": 999}


def test_a_shipper_s_own_descriptors_leave_those_for_printing_alone(tmp_path):
    script = (
        "import os, sys\nfrom grokscope.collectors.recording.ship.__main__ import _keep_printing_apart\n"
        "_keep_printing_apart()\n"
        "open(sys.argv[1], 'w').write(' '.join(os.readlink(f'/proc/self/fd/{fd}') for fd in (0, 1, 2)))\n"
    )
    closed = ["sh", "-c", 'exec "$0" -c "$1" "$2" <&- >&- 2>&-', sys.executable, script, tmp_path / "report"]
    subprocess.run(closed, check=True, timeout=60)
    assert (tmp_path / "report").read_text().split() == [os.devnull] * 3


def test_a_command_that_can_print_nowhere_still_has_its_status(tmp_path):
    closed = ["sh", "-c", 'exec "$0" -m grokscope.cli.main sync <&- >&- 2>&-', sys.executable]
    environment = {**os.environ, "GROKSCOPE_HOME": "~nosuchuser/x"}
    assert subprocess.run(closed, env=environment, check=False, timeout=60).returncode == 2


@pytest.mark.parametrize("command", ["sync", "doctor"])
def test_a_home_that_nobody_can_tell_is_one_sentence_and_a_status(grokscope, monkeypatch, command):
    monkeypatch.setenv("GROKSCOPE_HOME", "~nosuchuser/x")
    status, out, err = grokscope(command)
    assert (status, out) == (2, "")
    assert err.startswith("grokscope: GROKSCOPE_HOME is '~nosuchuser/x', and no folder")
    assert len(err.splitlines()) == 1
