"""``grokscope init``: the lines that a training needs are found for it, shown, and run as they are shown."""

import logging
import re
import warnings
from pathlib import Path

import pytest

from grokscope.cli.own_code.frameworks import spots
from grokscope.cli.own_code.snippets import SNIPPETS, Anchor, Framework
from grokscope.cli.own_code.starters import starter
from grokscope.cli.own_code.syntax import read_program
from grokscope.collectors import tracker
from grokscope.collectors.testing import MemorySink

DOCS = Path(__file__).parents[2] / "docs"
LOOP = {"train/batch_loss", "test/accuracy", "gradients/norm"}
LOGGED = {
    Framework.LOADER: LOOP | {"train/accuracy"},
    Framework.TENSORS: LOOP | {"train/accuracy"},
    Framework.ACCELERATE: LOOP,
    Framework.LIGHTNING: LOOP | {"progress/examples"},
    Framework.HUGGING_FACE: LOOP | {"progress/examples", "trainer/mean_train_loss"},
    Framework.KERAS: {"train/batch_loss", "test/loss", "train/epoch_loss", "val/loss"},
    Framework.WANDB: {"val/loss", "weights/norm", "summary/best"},
}
SECTIONS = {
    "A loop of your own": Framework.TENSORS,
    "Lightning": Framework.LIGHTNING,
    "Hugging Face Trainer": Framework.HUGGING_FACE,
    "Keras 3": Framework.KERAS,
    "Accelerate": Framework.ACCELERATE,
    "Code that calls W&B": Framework.WANDB,
    "Code that calls MLflow": Framework.MLFLOW,
}
TRAIN = """\
import sys
import torch
from torch.utils.data import DataLoader

sys.exit("it was run")

class Training:
    def __init__(self):
        self.net = torch.nn.Linear(2, 2)
        self.adam = torch.optim.Adam(self.net.parameters())

    def run(self):
        train_dl = DataLoader(data)
        val_dl = DataLoader(held)
        for epoch in range(9):
            for x, y in train_dl:
                criterion = self.loss(x, y)
                criterion.backward()
                self.adam.step()
                self.scheduler.step()
"""


@pytest.mark.parametrize("framework", LOGGED)
def test_every_starter_trains_and_logs_as_it_is_written(framework, tmp_path, monkeypatch, capsys):
    sink = MemorySink()
    monkeypatch.setattr(tracker, "open_sink", lambda *_, **__: sink)
    monkeypatch.chdir(tmp_path)
    assert SNIPPETS[framework].code().partition("\n\n")[2] in starter(framework)
    with warnings.catch_warnings():  # of the frameworks, about what people usually have beside them
        warnings.simplefilter("ignore")
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        exec(compile(starter(framework), "starter.py", "exec"), {"__name__": "__main__"})
    assert LOGGED[framework] <= {key for _, key, _ in sink.rows()}
    assert sink.status == "FINISHED"
    assert "failed" not in capsys.readouterr().err


def test_the_page_of_integrations_shows_the_same_lines():
    page = (DOCS / "integrations.md").read_text()
    blocks = dict(re.findall(r"^## ([^\n]+)\n\n```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    assert {title: blocks[title] for title in SECTIONS} == {
        title: SNIPPETS[framework].code() for title, framework in SECTIONS.items()
    }


@pytest.mark.parametrize("snippet", SNIPPETS.values(), ids=SNIPPETS)
def test_five_lines_or_fewer_are_added_and_each_has_its_place(snippet):
    assert len(snippet.added()) == len(snippet.anchors) <= 5


@pytest.mark.parametrize(
    ("text", "framework", "lines"),
    [
        ("import torch\nwhile True:\n  l(x).backward()\n  o.step()", Framework.TENSORS, {Anchor.LOOP: 2}),
        ("import lightning as L\n\nt = L.Trainer()", Framework.LIGHTNING, {Anchor.CALL: 3}),
        ("from trl import SFTTrainer\nSFTTrainer(model)", Framework.HUGGING_FACE, {Anchor.ARGUMENT: 2}),
        ("from tensorflow import keras\nm.fit(x)", Framework.KERAS, {Anchor.CALL: 2}),
        (
            "import torch\nimport accelerate as a\nfor x in y:\n  acc.backward(l)\n  o.step()",
            Framework.ACCELERATE,
            {Anchor.LOOP: 3, Anchor.STEP: 5},
        ),
        ("import os\nimport wandb\nwandb.log({})", Framework.WANDB, {Anchor.INSTEAD: 2}),
        ("from wandb.sdk import f\nwandb.log({})", Framework.WANDB, {Anchor.INSTEAD: 1}),
        ("import mlflow\nmlflow.log_metric('a', 1)", Framework.MLFLOW, {Anchor.IMPORTS: 1, Anchor.RUN: 2}),
    ],
)
def test_each_framework_is_told_by_what_a_program_calls(text, framework, lines):
    found = spots(read_program(text))
    assert [spot.framework for spot in found] == [framework]
    assert lines.items() <= found[0].lines.items()


@pytest.mark.parametrize(
    "text", ["import torch", "x.backward()", "import wandb", "Trainer()", "model.fit(x, y)", "def f(: pass"]
)
def test_what_does_not_train_is_not_taken_for_training(text, grokscope, tmp_path):
    (tmp_path / "code.py").write_text(text)
    status, out, _ = grokscope("init")
    assert status == 0
    assert out.startswith(
        f"No training code was found in {tmp_path}. For a PyTorch loop over a DataLoader:\n"
    )
    assert SNIPPETS[Framework.LOADER].code() in out


def test_the_lines_are_shown_with_their_places_and_the_code_is_neither_run_nor_changed(grokscope, tmp_path):
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "test_train.py").write_text("import torch\nfor x in y:\n  l.backward()\n")
    status, out, err = grokscope("init", ".")
    assert (status, err) == (0, "")
    assert (tmp_path / "train.py").read_text() == TRAIN
    shown = out.split("\n\n")
    assert shown[:4] == [
        "train.py has a PyTorch loop over a DataLoader. Nothing in it has been changed; the lines to add:",
        "# train.py:3, with the imports\nfrom grokscope.collectors import Tracker",
        (
            "# train.py:15, above the loop, which goes under it, indented\n"
            'with Tracker(self.net, self.adam, experiment="my-experiment") as tracker:'
        ),
        (
            "# train.py:19, after the optimizer's step\n"
            '        tracker.log(step, {"train/batch_loss": criterion})\n'
            "        if tracker.due(step):\n"
            "            tracker.evaluate(step, train=train_dl, test=val_dl)"
        ),
    ]
    assert (
        "There is a PyTorch loop over tensors or a Dataset too, in test_train.py: --framework tensors" in out
    )
    (tmp_path / "train.py").write_text(f"import grokscope.collectors\n{TRAIN}")
    assert (
        "train.py has a PyTorch loop over a DataLoader, and uses grokscope already."
        in grokscope("init", "train.py")[1]
    )


def test_a_starter_is_written_once_and_not_over_what_is_there_or_what_it_imports(grokscope, tmp_path):
    status, out, _ = grokscope("init", "--framework", "tensors", "--write", "mine.py")
    assert (status, "Run it: python mine.py" in out) == (0, True)
    assert (tmp_path / "mine.py").read_text() == starter(Framework.TENSORS)
    refused = {
        "mine.py": "'mine.py' is there already; name a new file after --write",
        "torch.py": "'torch.py' would hide the module torch from itself; name another file",
        "no/mine.py": "'no/mine.py' cannot be written (No such file or directory); name another file",
    }
    for path, said in refused.items():
        assert grokscope("init", "--write", path)[::2] == (2, f"grokscope: {said}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


def test_a_place_that_is_not_there_or_no_python_is_refused_with_a_sentence(grokscope, tmp_path):
    said = "grokscope: there is no file or folder 'gone'; name the one with your training code\n"
    assert grokscope("init", "gone")[::2] == (2, said)
    (tmp_path / "broken.py").write_text("def f(: pass")
    status, _, err = grokscope("init", "broken.py")
    assert (status, err.startswith("grokscope: 'broken.py' cannot be read as Python (")) == (2, True)


def test_what_cannot_be_read_in_a_folder_costs_nothing_of_what_can(grokscope, tmp_path):
    (tmp_path / "deep.py").write_text("-" * 100_000 + "1")
    (tmp_path / "escaped.py").write_text('"\\d"\n')
    (tmp_path / "latin.py").write_bytes(b"# coding: latin-1\nname = '\xe9'\n" + TRAIN.encode())
    (tmp_path / "linked").symlink_to(tmp_path)
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere.py")
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "pyvenv.cfg").touch()
    (tmp_path / "packages" / "theirs.py").write_text(TRAIN)
    status, out, err = grokscope("init", str(tmp_path))
    assert (status, err) == (0, "")
    assert "latin.py:" in out
    assert "theirs.py" not in out


def test_what_is_stepped_is_the_optimizer(grokscope, tmp_path):
    counted = "size = sum(p.numel() for p in model.parameters())\n"
    made = "sgd = torch.optim.SGD(model.parameters())\n"
    loop = "for x, y in loader:\n    scaler.scale(f(x)).backward()\n    scaler.step(sgd)\n"
    (tmp_path / "train.py").write_text("import torch\n" + counted + made + loop)
    assert "Tracker(model, sgd," in grokscope("init", str(tmp_path))[1]


def test_a_loop_that_is_not_found_has_no_line(grokscope, tmp_path):
    step = "def train_step(x):\n    loss = model(x)\n    loss.backward()\n    sgd.step()\n"
    (tmp_path / "train.py").write_text("import torch\n\n" + step)
    out = grokscope("init", str(tmp_path))[1]
    assert f"# {tmp_path / 'train.py'}, above the loop" in out
