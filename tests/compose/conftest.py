"""The services of docker-compose.yml as plain processes: their own command, environment and healthcheck.

What a container would give them is put in place by substitution, and nothing else is changed: names of
services and ports become loopback ports, mounted volumes become folders, and ``python`` and the programs
beside it are this environment's.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """One service with everything of its container replaced by something of this machine."""

    command: list[str]
    healthcheck: list[str]
    environment: dict[str, str]
    folder: Path

    def start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("wb") as log:
            return subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def is_healthy(self) -> bool:
        checked = subprocess.run(self.healthcheck, check=False, env=self.environment, capture_output=True)
        return checked.returncode == 0

    def wait_until_healthy(self, process: subprocess.Popen[bytes], *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.is_healthy():
            log = (self.folder / "log").read_text()[-3000:]
            assert process.poll() is None, f"{self.command} ended with {process.returncode}: {log}"
            assert time.monotonic() < deadline, f"{self.command} was not healthy in {seconds} s: {log}"
            time.sleep(0.5)


@pytest.fixture(scope="session")
def compose():
    return yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())


@pytest.fixture(scope="session")
def localize(compose, tmp_path_factory):
    """Give a function from a service's name to the service as a local process."""

    def local(name, *, addresses, environment):
        service = compose["services"][name]
        folder = tmp_path_factory.mktemp(name)
        for volume in service["volumes"]:
            mounted = Path(volume.split(":")[1])
            (folder / mounted.name).mkdir()
            addresses = {**addresses, str(mounted): str(folder / mounted.name)}
        given = {key: _replace(value, addresses) for key, value in service["environment"].items()}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return Local(
            command=[_replace(word, addresses) for word in service["command"]],
            healthcheck=[_replace(word, addresses) for word in service["healthcheck"]["test"][1:]],
            environment={**given, "PATH": path, "HOME": str(folder), **environment},
            folder=folder,
        )

    return local


def _replace(text, addresses):
    # The longest first: "mlflow:5000" before a ":5000" of its own.
    for theirs in sorted(addresses, key=len, reverse=True):
        text = text.replace(theirs, addresses[theirs])
    return text
