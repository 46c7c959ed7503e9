"""A run that is still open when the program ends, ends as the program does."""

import os
import subprocess
import sys

import pytest

from grokscope.collectors.recording.run_status import Exits

CHILDREN = """
import argparse, asyncio, os, sys, threading
from grokscope.collectors import Tracker
from grokscope.collectors.testing import MemorySink

def main(code):
    sys.exit(code)

async def task():
    main(3)

class Told(MemorySink):
    def end(self, status, time_ms, **more):
        os.write(1, f"{name}={status}\\n".encode())

for name, script in SCRIPTS.items():
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    else:
        tracker = Tracker(experiment="e", sink=Told())
        exec(script)
        break
"""
SCRIPTS = {
    "end": ("pass", "FINISHED"),
    "3": ("sys.exit(3)", "FAILED"),
    "0": ("sys.exit(0)", "FINISHED"),
    "none": ("sys.exit()", "FINISHED"),
    "no integer": ("sys.exit(0.0)", "FAILED"),
    "text": ("sys.exit('no data')", "FAILED"),
    "deep": ("main(3)", "FAILED"),
    "exit": ("exit(3)", "FAILED"),
    "quit": ("quit()", "FINISHED"),
    "argparse": ("argparse.ArgumentParser().parse_args(['--none'])", "FAILED"),
    "asyncio": ("asyncio.run(task())", "FAILED"),
    "caught": ("try: main(3)\nexcept SystemExit: pass", "FINISHED"),
    "caught, then 0": ("try: main(3)\nexcept SystemExit: sys.exit(0)", "FINISHED"),
    "caught, then an error": ("try: main(0)\nexcept SystemExit: 1 / 0", "FAILED"),
    "of a thread": ("one = threading.Thread(target=main, args=[3]); one.start(); one.join()", "FINISHED"),
    "error": ("1 / 0", "FAILED"),
    "interrupt": ("raise KeyboardInterrupt", "KILLED"),
    "an error that a shell has shown": (
        "try: 1 / 0\nexcept ZeroDivisionError as error: sys.last_value = error",
        "FINISHED",
    ),
    "dropped": ("del tracker; sys.exit(3)", "FAILED"),
    "closed before": ("tracker.close(); sys.exit(3)", "FINISHED"),
    "by hand, in a block": ("with tracker: raise SystemExit(3)", "FAILED"),
    "by hand, whose code nothing tells": ("raise SystemExit(3)", "FINISHED"),
}


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """Give what each child has told; one process forks them all, run as a script and as a module."""
    folder = tmp_path_factory.mktemp("program")
    scripts = {name: script for name, (script, _) in SCRIPTS.items()}
    (folder / "program.py").write_text(f"SCRIPTS = {scripts!r}\n{CHILDREN}")
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    ways = {"script": [str(folder / "program.py")], "module": ["-m", "program"]}
    done = {
        way: subprocess.run(
            [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        for way, arguments in ways.items()
    }
    told = {way: dict(line.split("=") for line in one.stdout.splitlines()) for way, one in done.items()}
    return told, {way: one.stderr for way, one in done.items()}


@pytest.mark.parametrize("way", ["script", "module"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_run_that_is_open_at_the_end_ends_as_the_program_does(ends, name, way):
    assert ends[0][way][name] == SCRIPTS[name][1]


@pytest.mark.parametrize("way", ["script", "module"])
def test_a_code_that_nothing_tells_is_said(ends, way):
    assert ends[1][way].count("a SystemExit whose code nothing tells") == 1


def test_once_no_tracker_is_open_what_leaves_a_program_is_as_it_was():
    before, exits = (sys.exit, type(exit).__call__), Exits()
    exits.watch()
    noting = sys.exit
    exits.watch()
    exits.leave()
    assert sys.exit is noting is not before[0]
    with pytest.raises(SystemExit, match="3"):
        sys.exit(3)
    exits.leave()
    assert (sys.exit, type(exit).__call__) == before


def test_what_others_have_put_in_the_place_of_sys_exit_stays(monkeypatch):
    exits = Exits()
    exits.watch()
    monkeypatch.setattr(sys, "exit", own := lambda *_: None)
    exits.leave()
    assert sys.exit is own
