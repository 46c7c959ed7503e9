"""Real trainers, shipper and MLflow server under random trouble, and at the end a look at what arrived.

    python tests/soak/nemesis.py [--seconds 3600] [--seed N]

Trouble is drawn from the seed: SIGKILL and SIGSTOP of trainers, shipper and server, a proxy that refuses,
hangs, answers with a page or loses answers, clocks that jump, a disk that fills up. What ``log`` and
``log_array`` have acknowledged must be stored, once, and nothing else; runs must end as FINISHED; ``log``
must be fast, and leaving must take no six seconds.
"""

import argparse
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from ledgers import array_differences, differences, read_ledger, read_store, ship_all
from weather import Proxy

HERE = Path(__file__).parent
RUNS = ("run-a", "run-b")
YEAR_MS = 365 * 86_400_000


class World:
    """Two trainers, their shipper and a server behind a proxy, in one folder."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        self.folder = folder
        self.rng = rng
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.proxy = Proxy(self._port)
        self.environment = os.environ | {
            "GROKSCOPE_HOME": f"{folder}/home",
            "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{self.proxy.port}",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        self.server = self._start_server()
        self._wait_for_server()  # MLflow does not survive being killed while it makes its tables
        self.trainers = {run: self._start_trainer(run) for run in RUNS}
        self.leaving = 0.0

    # What the nemesis may do; each leaves the world as it found it, but for what was killed on the way.

    def kill_trainer(self) -> None:
        run = self.rng.choice(RUNS)
        self._end(self.trainers[run], signal.SIGKILL)
        self.trainers[run] = self._start_trainer(run)

    def kill_shipper(self) -> None:
        for pid in self._shippers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def kill_server(self) -> None:
        os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()
        self._pause()
        self.server = self._start_server()

    def stop_trainer(self) -> None:
        self._suspend([self.rng.choice(list(self.trainers.values())).pid], os.kill)

    def stop_shipper(self) -> None:
        self._suspend(self._shippers(), os.kill)

    def stop_server(self) -> None:
        self._suspend([self.server.pid], os.killpg)

    def mistreat_connections(self) -> None:
        self.proxy.mode = self.rng.choice(Proxy.MODES)
        self._pause()
        self.proxy.mode = "fine"

    def move_the_clock(self) -> None:
        self._weather(clock_ms=self.rng.choice((-YEAR_MS, -3_600_000, 0, 3_600_000, YEAR_MS)))

    def fill_the_disk(self) -> None:
        self._weather(is_full=True)
        self._pause()
        self._weather()

    def end(self) -> list[str]:
        """Let the trainers finish and all points arrive; return what is wrong."""
        self._weather()
        (self.folder / "stop").touch()
        wrong: list[str] = []
        for run, trainer in self.trainers.items():
            out, _ = trainer.communicate(timeout=60)
            self.leaving = max(self.leaving, float(out or 0))
            wrong += [f"{run} ended with {trainer.returncode}"] * (trainer.returncode != 0)
        self._wait_for_server()
        self.kill_shipper()  # it may be waiting half a minute for its next try
        wrong += ship_all(self.folder / "home", self.environment["MLFLOW_TRACKING_URI"], seconds=180)
        return wrong + self._compare()

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.server.pid, signal.SIGKILL)
        self.server.wait()
        self.kill_shipper()
        for trainer in self.trainers.values():
            self._end(trainer, signal.SIGKILL)
        self.proxy.close()

    def _compare(self) -> list[str]:
        wrong: list[str] = []
        stored = read_store(self.folder)
        for run in RUNS:
            kept, sent = (read_ledger(self.folder / f"{run}.{kind}") for kind in ("kept", "sent"))
            if found := differences(kept=kept, sent=sent, stored=stored[run]):
                wrong.append(f"{run}: {found}")
            slow, calls = (self.folder / f"{run}.slow").stat().st_size, len({step for step, _, _ in sent})
            # A process that is stopped within a call is slow too.
            wrong += [f"{slow} of {calls} calls of {run} took over 5 ms"] * (slow > 5 + calls / 1000)
            say(
                f"{run}: {len(sent)} points, {len(kept)} acknowledged, {len(stored[run])} stored; "
                f"{slow} of {calls} calls over 5 ms"
            )
        wrong += array_differences(f"http://127.0.0.1:{self._port}", "nemesis", stored)
        with closing(sqlite3.connect(self.folder / "mlflow.db")) as connection:
            ends = [status for (status,) in connection.execute("select status from runs")]
        wrong += [f"the runs ended as {ends}"] * (ends != ["FINISHED"] * len(RUNS))
        return wrong + [f"leaving took {self.leaving:.1f} s"] * (self.leaving >= 6)

    def _start_trainer(self, run: str) -> "subprocess.Popen[str]":
        command = [sys.executable, str(HERE / "trainer.py"), str(self.folder), run]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=self._log(), text=True
        )

    def _start_server(self) -> "subprocess.Popen[bytes]":
        command = ["-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        command += ["--workers", "1", "--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--uvicorn-opts", "--log-level warning"]
        return subprocess.Popen(
            [sys.executable, *command, "--artifacts-destination", str(self.folder / "artifacts")],
            env=self.environment,
            stdout=self._log(),
            stderr=self._log(),
            start_new_session=True,
        )

    def _wait_for_server(self) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with (
                suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health", timeout=2),
            ):
                return
            time.sleep(0.1)

    def _shippers(self) -> list[int]:
        found: list[int] = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                text = path.read_text()
                if "grokscope.collectors.recording.ship" in text and f"{self.folder}/home" in text:
                    found.append(int(path.parent.name))
        return found

    def _suspend(self, pids: list[int], send: Callable[[int, int], None]) -> None:
        for number in (signal.SIGSTOP, signal.SIGCONT):
            for pid in pids:
                with suppress(ProcessLookupError):
                    send(pid, number)
            if number == signal.SIGSTOP:
                self._pause()

    def _weather(self, *, clock_ms: int = 0, is_full: bool = False) -> None:
        new = self.folder / "weather.new"
        new.write_text(json.dumps({"clock_ms": clock_ms, "is_full": is_full}))
        new.rename(self.folder / "weather.json")

    def _pause(self) -> None:
        time.sleep(self.rng.expovariate(1.0))

    def _end(self, process: "subprocess.Popen[str]", number: int) -> None:
        process.send_signal(number)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def _log(self) -> int:
        return os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)


# A server takes seconds to start, so it is killed less often.
TROUBLE = {
    World.kill_trainer: 4,
    World.kill_shipper: 4,
    World.kill_server: 1,
    World.stop_trainer: 2,
    World.stop_shipper: 2,
    World.stop_server: 2,
    World.mistreat_connections: 4,
    World.move_the_clock: 2,
    World.fill_the_disk: 2,
}


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args()
    rng = random.Random(options.seed)
    done: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="grokscope-nemesis-", ignore_cleanup_errors=True) as folder:
        world = World(Path(folder), rng)
        try:
            deadline = time.monotonic() + options.seconds
            while time.monotonic() < deadline:
                act = rng.choices(list(TROUBLE), weights=list(TROUBLE.values()))[0]
                act(world)
                done[act.__name__] += 1
                time.sleep(rng.expovariate(1.0))
            wrong = world.end()
        finally:
            world.close()
        log = (Path(folder) / "log").read_text(errors="replace")
    say(f"--seed {options.seed}: {dict(done)}; wrong: {wrong or 'nothing'}")
    if wrong:
        sys.stderr.write(log[-8000:])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
