"""Starting a shipper from the training process: once, in the background, and never waiting for it."""

import os
import subprocess
import sys
from pathlib import Path

from grokscope.collectors.ship.lock import is_held, ship_key


def ensure_shipper(home: Path, store: str) -> None:
    """Start the shipper for ``store`` unless one is at work.

    It is a process of its own: immune to this one's GIL, signals and death. It serves every run of this
    machine that goes to the same store, so a sweep of hundreds of seeds imports mlflow once.

    Raises:
        OSError: If no process can be started.
    """
    if is_held(home, store):
        return
    folder = home / "ship"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # -P: a file named mlflow.py in the working folder must not be taken for the real one.
    command = [sys.executable, "-P", "-m", "grokscope.collectors.ship", "--detach"]
    command += ["--home", str(home), "--store", store]
    log = os.open(folder / f"{ship_key(store)}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False, timeout=30)
    except subprocess.TimeoutExpired as error:
        raise OSError(f"the shipper did not start within {error.timeout} s") from error
    finally:
        os.close(log)
