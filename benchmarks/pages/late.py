"""Points that are logged to a new run while its page is open: how late each is drawn."""

import os
import subprocess
import sys
import time
from pathlib import Path

from pages.filling import EXPERIMENT
from pages.looking import Eye
from pages.tools import Tool

POINTS, MOST_S = 15, 20.0

_LOGGERS = {
    "grokscope": """
from grokscope.collectors import Tracker
with Tracker(experiment={experiment!r}, store={store!r}, name="late") as tracker:
    for line in sys.stdin:
        tracker.log(int(line), {{"train/accuracy": 0.5, "test/accuracy": 0.1}})
""",
    "MLflow": """
import mlflow
mlflow.set_tracking_uri({store!r})
mlflow.set_experiment({experiment!r})
with mlflow.start_run(run_name="late") as run:
    print(run.info.run_id, flush=True)
    for line in sys.stdin:
        mlflow.log_metrics({{"train/accuracy": 0.5, "test/accuracy": 0.1}}, step=int(line))
""",
    "Trackio": """
import trackio
run = trackio.init(project={experiment!r}, name="late")
for line in sys.stdin:
    trackio.log({{"train/accuracy": 0.5, "test/accuracy": 0.1}}, step=int(line))
""",
}


def lags(tool: Tool, eye: Eye, address: str, folder: Path, store: str) -> list[float | None]:
    """Return seconds from logging a point to its drawing, of points a second or more apart."""
    code = "import sys\n" + _LOGGERS[tool.name].format(experiment=EXPERIMENT, store=store)
    environment = {
        **os.environ,
        "GROKSCOPE_HOME": str(folder / "home"),
        "TRACKIO_DIR": str(folder / "trackio"),
    }
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as trainer:
        assert trainer.stdin is not None
        assert trainer.stdout is not None
        run = trainer.stdout.readline().strip() if tool.name == "MLflow" else ""
        _log(trainer, 1)
        eye.page.goto(address + tool.live.format(run=run))
        time.sleep(20)
        late: list[float | None] = []
        while len(late) < POINTS and late[-3:] != [None] * 3:  # a page that draws nothing by itself is left
            late.append(_lag(tool, eye, trainer, 10 + 7 * len(late)))
        trainer.stdin.close()
    return late


def _lag(tool: Tool, eye: Eye, trainer: "subprocess.Popen[str]", step: int) -> float | None:
    time.sleep(1 + step % 3 / 3)
    began = time.monotonic()
    _log(trainer, step)
    if tool.name == "grokscope":
        eye.page.get_by_text(f"step {step} ").or_(
            eye.page.get_by_text(f"step {step}", exact=True)
        ).first.wait_for()
        return time.monotonic() - began
    return time.monotonic() - began if eye.wait_for_paint(MOST_S) else None


def _log(trainer: "subprocess.Popen[str]", step: int) -> None:
    assert trainer.stdin is not None
    trainer.stdin.write(f"{step}\n")
    trainer.stdin.flush()
