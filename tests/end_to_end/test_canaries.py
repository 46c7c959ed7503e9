"""Secrets of a configuration, of errors and of the store's address are found nowhere afterwards."""

import io
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import polars as pl
from playwright.sync_api import expect

CANARIES = 40
TRAINER = Path(__file__).with_name("canary_trainer.py")


class Processes(Thread):
    """Notes the arguments of every process, again and again."""

    def __init__(self, command_lines: Callable[[], dict[int, list[str]]]) -> None:
        super().__init__(daemon=True)
        self._command_lines = command_lines
        self.seen: set[str] = set()
        self.ended = Event()

    def run(self) -> None:
        while not self.ended.wait(0.05):
            self.seen.update(*self._command_lines().values())


def texts_under(folder: Path) -> dict[str, str]:
    """Return every file as text; compressed tables are unpacked first."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            raw = path.read_bytes()
            if path.suffix == ".parquet":
                raw = pl.read_parquet(io.BytesIO(raw)).write_json().encode()
            found[str(path.relative_to(folder))] = raw.decode("utf-8", "replace")
    return found


def test_forty_secrets_in_twelve_shapes_are_found_nowhere(
    postgres, tmp_path, running, free_port, open_page, command_lines
):
    canaries = [f"C4nary{secrets.token_hex(6)}" for _ in range(CANARIES)]
    database = f"canaries_{secrets.token_hex(4)}"
    subprocess.run([postgres.bin / "createdb", database], check=True, env=postgres.environment)
    address = (
        f"postgresql+psycopg://127.0.0.1:{postgres.port}/{database}"
        f"?user={postgres.user}&password={postgres.password}"
    )
    environment = {**os.environ, "GROKSCOPE_HOME": str(tmp_path / "home"), "MLFLOW_TRACKING_URI": address}
    processes = Processes(command_lines)
    processes.start()

    def ran(*command: str, **options: object) -> str:
        ended = subprocess.run(
            [sys.executable, *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended.stdout + ended.stderr

    said = {"trainer": ran(str(TRAINER), input=json.dumps(canaries), timeout=120)}
    assert said["trainer"].startswith("0 left")
    assert "'test' could not be measured" in said["trainer"]
    said |= {name: ran("-m", "grokscope.cli.main", name, timeout=120) for name in ("sync", "doctor")}
    port = free_port()
    up = [sys.executable, "-m", "grokscope.cli.main", "up", "--port", str(port), "--no-browser"]
    log = tmp_path / "up.txt"
    with log.open("wb") as out, running(up, env=environment, stdout=out, stderr=out):
        page = open_page(f"http://127.0.0.1:{port}/runs")
        expect(page.get_by_text("kept quiet").first).to_be_attached()
        said["page of runs"] = page.content()
        run = re.search(r"[0-9a-f]{32}", _dump(postgres, database)).group()
        page.goto(f"http://127.0.0.1:{port}/run?run={run}&run_section=Setup")
        expect(page.get_by_role("heading", name="Params")).to_be_visible()
        expect(page.get_by_text("list of mappings").first).to_be_visible()
        said["page of the run"] = page.content()
    said["up"] = log.read_text()
    processes.ended.set()
    processes.join()
    said["processes"] = "\n".join(processes.seen)
    said["store"] = _dump(postgres, database)
    said |= texts_under(tmp_path / "home")
    assert "[withheld]" in said["store"]
    assert "[withheld]" in said["page of the run"]
    assert any(name.startswith("mirror") for name in said)
    hidden = [*canaries, postgres.password]
    assert [(place, secret) for place, text in said.items() for secret in hidden if secret in text] == []


def _dump(postgres, database: str) -> str:
    command = [postgres.bin / "pg_dump", "--data-only", "--inserts", database]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=postgres.environment
    ).stdout
