"""What the example's own function says is what arrives under its key."""

import importlib.util
from pathlib import Path

import torch
from torch import nn

from grokscope.collectors import Tracker
from grokscope.collectors.testing import MemorySink

PATH = Path(__file__).parents[2] / "examples" / "own_measure.py"


def example():
    spec = importlib.util.spec_from_file_location("own_measure", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_function_is_registered_in_one_line_and_logged_under_its_key():
    model = nn.Identity()
    logits = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    targets = torch.tensor([0, 1, 0, 2])
    sink = MemorySink()
    with Tracker(model, experiment="example", measures=[example().confusion], sink=sink) as tracker:
        tracker.evaluate(3, test=(logits, targets))
    # One 1 is taken for 0 and one 0 for 1, of four.
    assert (3, "my/confusion", 0.5) in sink.rows()
