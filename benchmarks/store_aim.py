"""Aim, in a virtual environment of its own, since it needs an older filelock than we do.

It runs as a process that is told to read by a line, and answers with how many points it has read.
"""

import json
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_AIM = "aim==3.29.1"
_PROGRAM = """
import json, sys
from pathlib import Path
from aim import Repo, Run
from aim.sdk.index_manager import RepoIndexManager

folder = Path(sys.argv[1])
if not folder.exists():
    folder.mkdir(parents=True)
    for name, rows in json.loads(sys.stdin.readline()).items():
        run = Run(repo=str(folder), system_tracking_interval=None, log_system_params=False,
                  capture_terminal_logs=False)
        for step, value in rows:
            run.track(value, name="test/accuracy", step=step)
        run.close()
    indexer = RepoIndexManager.get_index_manager(Repo(str(folder)))
    for run in Repo(str(folder)).list_all_runs():
        indexer.index(run)  # else a query finds nothing
else:
    sys.stdin.readline()
print("ready", flush=True)
for _ in sys.stdin:
    found = Repo(str(folder)).query_metrics("metric.name == 'test/accuracy'", report_mode=0)
    print(sum(len(m.values.sparse_numpy()[1]) for runs in found.iter_runs() for m in runs), flush=True)
"""


@contextmanager
def aim_reader(
    points: dict[str, list[tuple[int, float]]], folder: Path
) -> Iterator[Callable[[], int] | None]:
    """Give a function that reads ``points`` from Aim; ``None``, and say so, where it cannot be installed."""
    python = folder / "aim-environment" / "bin" / "python"
    if not python.exists():
        venv.create(python.parents[1], with_pip=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", _AIM]
        if subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode:
            print(f"\nAim is left out: {_AIM} could not be installed for Python {sys.version.split()[0]}.")
            yield None
            return
    with subprocess.Popen(
        [python, "-c", _PROGRAM, folder / "aim"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout

        def ask(line: str) -> str:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        if ask(json.dumps(points)) != "ready":
            raise SystemExit("Aim's process ended; run its program by hand to see why")
        yield lambda: int(ask("read"))
