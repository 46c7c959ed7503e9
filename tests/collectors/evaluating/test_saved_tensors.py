"""Whatever a forward pass writes into a model is put back, or said."""

import pytest
import torch
from torch import nn
from torch.nn.functional import batch_norm

from grokscope.collectors import Tracker
from grokscope.collectors.evaluating.preserved_state import preserved_state
from grokscope.collectors.evaluating.saved_tensors import WrittenParameters
from grokscope.collectors.testing import MemorySink

DATA = (torch.randn(8, 4, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 3)


class Writing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head, self.scale = nn.Linear(4, 3), nn.Parameter(torch.ones(4))
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("var", torch.ones(4))
        self.register_buffer("wide", torch.ones(1).expand(4))
        self.register_buffer("later", None)
        self.write = lambda: None

    def forward(self, x):
        self.write()
        return self.head(batch_norm(x, self.mean, self.var, training=True) * self.scale * self.wide)


def everything(model: nn.Module) -> dict[str, tuple[object, ...]]:
    named = [*model.named_parameters(), *model.named_buffers()]
    return {name: (id(t), t.requires_grad, t.detach().numpy().tobytes()) for name, t in named}


WRITES = {
    "buffers unseen": lambda _: None,
    "a parameter": lambda m: m.scale.mul_(0.5),
    "a parameter unseen": lambda m: m.scale.data.mul_(0.5),
    "not a number": lambda m: m.scale.fill_(float("nan")),
    "requires_grad": lambda m: m.head.requires_grad_(requires_grad=False),
    "another parameter": lambda m: setattr(m, "scale", nn.Parameter(torch.zeros(4))),
    "a buffer that was none": lambda m: setattr(m, "later", torch.zeros(1)),
    "a buffer more": lambda m: m.register_buffer("more", torch.zeros(1)),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_a_forward_pass_writes_is_put_back_at_every_evaluation(capsys, write):
    model = Writing()
    tracker = Tracker(model, experiment="e", sink=MemorySink())
    model.write = lambda: write(model)
    before = everything(model)
    for step in range(3):
        assert "train/loss" in tracker.evaluate(step, train=DATA)
        assert everything(model) == before
        assert model.later is None
    assert capsys.readouterr().err == ""


def test_weights_are_measured_as_they_were_before_the_forward_pass_wrote_them():
    model = Writing()
    tracker = Tracker(model, experiment="e", sink=MemorySink())
    model.write = lambda: model.scale.add_(1.0)
    norm = torch.cat([p.detach().flatten() for p in model.parameters()]).norm().item()
    values = tracker.evaluate(0, train=DATA)
    assert values["weights/norm"] == pytest.approx(norm)
    assert values["weights/distance_from_init"] == 0


def test_a_parameter_that_is_first_written_later_is_said_once_and_put_back_from_then_on(capsys):
    model = Writing()
    tracker = Tracker(model, experiment="e", sink=MemorySink())
    tracker.evaluate(0, train=DATA)
    model.write = lambda: model.scale.mul_(0.5)
    tracker.evaluate(1, train=DATA)
    before = everything(model)
    tracker.evaluate(2, train=DATA)
    assert everything(model) == before
    said = capsys.readouterr().err
    assert said.count("the forward pass wrote into scale while it was measured") == 1


def test_a_model_that_writes_nothing_is_copied_once_and_no_more():
    model, written = nn.Linear(4, 3), WrittenParameters(warn=print)
    with preserved_state(model, written=written):
        model(DATA[0])
    assert written.copied == set()


def test_a_look_that_is_broken_off_teaches_nothing():
    model, written = nn.Linear(4, 3), WrittenParameters(warn=print)
    with pytest.raises(KeyboardInterrupt), preserved_state(model, written=written):
        raise KeyboardInterrupt
    assert written.copied is None


def test_parameters_that_are_not_numbers_count_as_unwritten():
    model, written = nn.Linear(4, 3), WrittenParameters(warn=print)
    nn.init.constant_(model.bias, float("nan"))
    with preserved_state(model, written=written):
        model(DATA[0])
    assert written.copied == set()


def test_a_graph_that_holds_a_written_buffer_survives_an_evaluation():
    model = Writing()
    waiting = model(DATA[0]).sum() + (model.mean.clone().requires_grad_() * model.mean).sum()
    tracker = Tracker(model, experiment="e", sink=MemorySink())
    tracker.evaluate(0, train=DATA)
    waiting.backward()
    assert model.head.weight.grad is not None
