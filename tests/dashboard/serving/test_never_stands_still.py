import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("pool_and_lock.py")
WORK_S, PATIENCE_S = 10, 90


def test_pages_that_work_at_once_never_wait_for_each_other_for_good(tmp_path):
    """Polars' threads must never need Python's lock: whoever holds it may be waiting for them."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(tmp_path), str(WORK_S)],
        env={**os.environ, "POLARS_MAX_THREADS": "2"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        printed, _ = process.communicate(timeout=WORK_S + PATIENCE_S)
    except subprocess.TimeoutExpired:
        pytest.fail(f"it stands still: {WORK_S} s of work have not ended after {WORK_S + PATIENCE_S} s")
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert printed.count("(") == 7
