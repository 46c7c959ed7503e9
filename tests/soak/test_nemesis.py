"""Nothing that `log` has acknowledged is lost or doubled, whatever happens; `make soak` looks for longer."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("command", [("kills.py", "--count", "60"), ("nemesis.py", "--seconds", "12")])
def test_what_log_has_acknowledged_is_stored_once_and_nothing_else_is(command):
    script, *options = command
    done = subprocess.run(
        [sys.executable, HERE / script, *options], check=False, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr  # the seed is in it
