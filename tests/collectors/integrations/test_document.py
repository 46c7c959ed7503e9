"""docs/integrations.md counts what training has seen; tests/cli/test_init.py runs its other snippets."""

import re
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from grokscope.collectors import tracker
from grokscope.collectors.testing import MemorySink

PAGE = (Path(__file__).parents[3] / "docs" / "integrations.md").read_text()
SEEN = re.search(r"^## What training has seen\n\n```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]


def test_what_training_has_seen_is_counted_as_the_page_does_it(monkeypatch, capsys):
    sink, model = MemorySink(), nn.Linear(4, 3)
    monkeypatch.setattr(tracker, "open_sink", lambda *_, **__: sink)
    data = TensorDataset(torch.linspace(-1, 1, 80).reshape(20, 4), torch.arange(20) % 3)
    brought = {
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), lr=0.1),
        "loader": DataLoader(data, batch_size=10),
        "cross_entropy": cross_entropy,
    }
    exec(compile(SEEN, "integrations.md", "exec"), brought)
    logged = {key for _, key, _ in sink.rows()}
    assert {"train/batch_loss", "progress/examples", "progress/epochs"} <= logged
    assert sink.status == "FINISHED"
    assert "grokscope:" not in capsys.readouterr().err
