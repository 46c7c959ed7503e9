"""From which code and on what machine a run is made, as MLflow's own tags of runs and one of ours.

Nothing here may stop or hold up a training: what git does not tell in a second is left out.
"""

import getpass
import os
import platform
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from grokscope.schemas.tags import MACHINE

_PATIENCE_S = 1.0
_FRESH_S = 10.0
"""A sweep that opens a run after another asks git once for all of them."""

_OF_ANOTHER = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR"})

_known: tuple[float, dict[str, str]] | None = None


def provenance() -> dict[str, str]:
    """Return where this process comes from: program, user, commit and branch of its code, and the machine.

    A commit says nothing of what was changed since: ``mlflow.source.git.dirty`` says whether anything was, or
    the program itself is in no commit; it is missing where git did not say so in time.

    >>> provenance()["mlflow.source.type"]
    'LOCAL'
    """
    global _known  # noqa: PLW0603 - one process has one
    now = time.monotonic()
    if _known is None or now - _known[0] > _FRESH_S:
        _known = now, _found()
    return dict(_known[1])


def _found() -> dict[str, str]:
    script = _script()
    tags = {
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": str(script or sys.argv[0] or "interactive"),
        MACHINE: _machine(),
        **_code(script),
    }
    with suppress(OSError, KeyError, ImportError):  # a container's user may have no name
        tags["mlflow.user"] = getpass.getuser()
    return tags


def _script() -> Path | None:
    """Return the file that was started, if it is one of somebody's own and no installed command."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    path = Path(file).absolute() if isinstance(file, str) else None
    is_own = path is not None and path.is_file() and not path.is_relative_to(sys.prefix)
    return path if is_own else None


def _machine() -> str:
    parts = [
        socket.gethostname(),
        f"{platform.system()} {platform.machine()}",
        f"{os.cpu_count()} CPUs",
        *_gpus(),
        f"Python {platform.python_version()}",
        f"torch {torch.__version__}" if (torch := sys.modules.get("torch")) else "",
    ]
    return " · ".join(part for part in parts if part)


def _gpus() -> list[str]:
    """Return the devices, if the program uses any: to ask for them would claim memory on each."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if cuda is None or not cuda.is_initialized():
        return []
    names = [str(cuda.get_device_name(i)) for i in range(cuda.device_count())]
    return [f"{names.count(name)} × {name}" for name in dict.fromkeys(names)]


def _code(script: Path | None) -> dict[str, str]:
    folder = Path.cwd() if script is None else script.parent
    head = _git(folder, "rev-parse", "HEAD", "--abbrev-ref", "HEAD")
    if head is None:
        return {}
    commit, branch, *_ = [*head.split("\n"), ""]
    on = {} if branch in ("", "HEAD") else {"mlflow.source.git.branch": branch}
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    if changed is None:
        return {"mlflow.source.git.commit": commit, **on}
    # A program that was never added is in no commit, however clean that is.
    is_in_it = script is None or _git(folder, "ls-files", "--error-unmatch", "--", str(script)) is not None
    dirty = str(bool(changed) or not is_in_it).lower()
    return {"mlflow.source.git.commit": commit, **on, "mlflow.source.git.dirty": dirty}


def _git(folder: Path, *command: str) -> str | None:
    """Return what git says; ``None`` where there is no git, no repository, or no answer in time."""
    asked = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *command]
    # Within a hook of git these name its repository, whatever folder is asked about.
    kept = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER}
    environment = {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            asked,
            env=environment,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None
