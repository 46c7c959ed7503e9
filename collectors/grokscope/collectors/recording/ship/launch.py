"""Starting a shipper from the training process: once, in the background, and never waiting for it."""

import os
import subprocess
import sys
from pathlib import Path

from grokscope.collectors.recording.ship.credentials import VARIABLE
from grokscope.collectors.recording.ship.lock import is_held, ship_key
from grokscope.schemas.files.private import opened, private_folder
from grokscope.schemas.secrets import without_credentials

_START_SECONDS = 30.0


def ensure_shipper(home: Path, store: str, *, seconds: float = _START_SECONDS) -> None:
    """Start the shipper for ``store`` unless one is at work.

    It is a process of its own: immune to this one's GIL, signals and death. It serves every run of this
    machine that goes to the same store, so a sweep of hundreds of seeds imports mlflow once.

    Args:
        home: Where spools live.
        store: MLflow tracking URI; credentials in it travel in the shipper's environment.
        seconds: How long its start may take.

    Raises:
        OSError: If no process can be started, it ends at once, or the file system cannot lock.
    """
    shown = without_credentials(store)
    if is_held(home, shown):
        return
    folder = private_folder(home, "ship")
    # -P: a file named mlflow.py in the working folder must not be taken for the real one.
    command = [sys.executable, "-P", "-m", "grokscope.collectors.recording.ship", "--detach"]
    command += ["--home", str(home), f"--store={shown}"]
    path = folder / f"{ship_key(shown)}.log"
    log = opened(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        started = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(store),
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"the shipper did not start within {error.timeout:.1f} s") from error
    finally:
        os.close(log)
    if started.returncode > 0:  # less than that is a signal, for instance the user's Ctrl-C
        raise OSError(f"it ended at once with status {started.returncode}; {path} says why")


def _environment(store: str) -> dict[str, str]:
    # A trainer that takes warnings for errors means its own, not those of mlflow's imports.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return inherited if without_credentials(store) == store else {**inherited, VARIABLE: store}
