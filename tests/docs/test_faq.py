"""Every message that the page on error messages quotes is grokscope's: provoked, or found in the code."""

import ast
import csv
import re
import shlex
import shutil
from functools import cache
from pathlib import Path

import pytest
import torch

from grokscope.collectors import Tracker, TrackerError
from grokscope.collectors.testing import MemorySink

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("schemas", "collectors", "transitions", "interventions", "experiments", "dashboard")
SWEEP = "sqlite:///mlflow.db --experiment sweep"
COMPARE = f"compare {SWEEP} --by weight_decay --target"

# What a reader would have typed, by the first words of what it gets.
PROVOKED = {
    "there is no store at": "detect sqlite:///nothing.db --experiment x",
    "'mlflow.db' is an MLflow store": "import mlflow.db",
    "a store needs --experiment": "detect sqlite:///mlflow.db",
    "experiment … does not exist": "detect sqlite:///mlflow.db --experiment swep",
    "nobody answers at": "detect http://127.0.0.1:9 --experiment x",
    "there is no file or folder": "import nowhere.csv",
    "… holds nothing that is recognised": "import notes.txt",
    "'empty.csv' is empty": "import empty.csv",
    "it has no column of steps": "import no_steps.csv",
    "No held-out score": "detect probe.csv",
    "a target is METRIC>=VALUE": f"{COMPARE} val_loss",
    "no run has the metric": f"{COMPARE} 'val_loss<=3'",
    "the runs have no param": f"compare {SWEEP} --by wieght_decay --target 'test/accuracy>=0.9'",
    "nothing counts 'tokens'": f"{COMPARE} 'test/accuracy>=0.9' --count-in tokens",
    "at 1: 'wieght_decay' is no param": f"ask when {SWEEP} --where 'wieght_decay > 1'",
}
WHILE_TRAINING = {
    "'a' must be a number",
    "the split 'test' could not be measured",
    "the count of steps went back",
    "step … was not logged",
}
AT_THE_START = {"store='mlflow.db' is not the address"}


@pytest.fixture(scope="session")
def messages(pages) -> list[str]:
    """The page's messages, each on one line."""
    return [_said(block.text) for block in pages["faq.md"].blocks]


def _pattern(message: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, message.split("…"))))


def _said(text: str) -> str:
    return " ".join(text.split())


def _one(messages, beginning: str) -> str:
    (found,) = (message for message in messages if message.startswith(beginning))
    return found


@pytest.fixture
def folder(recorded, tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(recorded / "mlflow.db", tmp_path)
    (tmp_path / "notes.txt").write_text("hello\nworld\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "no_steps.csv").write_text("a,b\n1,2\n2,3\n")
    with (tmp_path / "probe.csv").open("w") as file:
        csv.writer(file).writerows([("step", "probe"), *((step, step / 100) for step in range(20))])
    return tmp_path


def test_what_a_command_refuses_is_told_in_the_words_of_the_page(messages, grokscope, folder):
    wrong = []
    for beginning, typed in PROVOKED.items():
        message = _one(messages, beginning)
        status, out, err = grokscope(*shlex.split(typed))
        if not _pattern(message).search(_said(out + err)) or (beginning[0].islower() and status == 0):
            wrong.append(f"{typed}: {status} {err}")
    assert "\n".join(wrong) == ""


def test_what_a_tracker_says_is_told_in_the_words_of_the_page(messages, capsys):
    model = torch.nn.Linear(2, 2)
    with pytest.raises(TrackerError) as refused:
        Tracker(model, experiment="faq", store="mlflow.db")
    assert _pattern(_one(messages, *AT_THE_START)).search(str(refused.value))
    with Tracker(model, experiment="faq", sink=MemorySink()) as tracker:
        tracker.log(0, {"a": "text"})
        tracker.evaluate(1, test=(torch.ones(4, 3), torch.zeros(4, dtype=torch.long)))
        for step in (*range(60), *range(60)):
            tracker.log(step, {"a": 1.0})
    tracker.log(9, {"a": 1.0})
    said = _said(capsys.readouterr().err)
    lacking = [one for one in WHILE_TRAINING if not _pattern(_one(messages, one)).search(said)]
    assert lacking == [], said


@cache
def _literals() -> tuple[str, ...]:
    """All texts of the code; what a text fills in is ``…``."""
    found: list[str] = []
    for path in (path for room in ROOMS for path in (REPOSITORY / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
                found.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return tuple(_said(text) for text in found if len(text) > 20)


def test_every_other_message_of_the_page_is_in_the_code(messages):
    shown = [_one(messages, one) for one in (*PROVOKED, *WHILE_TRAINING, *AT_THE_START)]
    others = [message for message in messages if message not in shown]
    known = "\n".join(_literals())
    assert [one for one in others if not _pattern(one.removesuffix(".")).search(known)] == []
    assert len(messages) >= 20
    assert others
