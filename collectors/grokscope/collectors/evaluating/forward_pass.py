"""One forward pass over a split: logits, targets and representation, a row a target."""

from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.evaluating.preserved_state import device_of, plain_module, preserved_state
from grokscope.collectors.evaluating.splits.opened import OpenSplit
from grokscope.collectors.evaluating.splits.output_reader import OutputReader
from grokscope.collectors.evaluating.splits.reading.items import Item, changed
from grokscope.collectors.evaluating.splits.rows import Rows
from grokscope.collectors.evaluating.splits.targets.objectives import Objective
from grokscope.collectors.evaluating.taps import tapped
from grokscope.collectors.tensors.predictions import checked_predictions
from grokscope.collectors.tensors.shards import reshard


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one forward pass over a split gave.

    Attributes:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices; other targets are ``[N, C]``, as the logits.
        features: ``[N, d]``, the representation that the logits were made from, if one was found.
        examples: Where an example has several targets, the example of each, ``[N]``, and how many there are.
        objective: What the targets are, and which loss is taken.
        loss: That loss over the whole split, where the curve measures do not hold it.
    """

    logits: Tensor
    targets: Tensor
    features: Tensor | None
    examples: tuple[Tensor, int] | None = None
    objective: Objective | None = None
    loss: Tensor | None = None


def forward_pass(
    model: nn.Module,
    data: object,
    *,
    features: str | None = None,
    batch_size: int | None = None,
    ignore_index: int | None = -100,
) -> Pass:
    """Run a split through the model, leaving no trace (see ``preserved_state``).

    Args:
        model: Gives logits ``[N, C]`` or ``[N, T, C]`` as a tensor, or within what it returns.
        data: ``(inputs, targets)`` as tensors, or whatever else ``Tracker.evaluate`` takes; inputs may be a
            tuple for ``model(*inputs)``, targets are class indices ``[N]`` or ``[N, T]``. All are moved to
            the model's device. Logits of the whole split are held at once: N · T · C values.
        features: Dotted name of the module whose input is the representation ``[N, d]`` or ``[N, T, d]``;
            by default the last ``nn.Linear`` of C outputs that the pass met.
        batch_size: Examples a pass when ``data`` is one pair; ``None`` takes it whole.
        ignore_index: Leave out targets of this value; ``None`` leaves out none.

    Raises:
        ValueError: If the split is empty, shapes do not match, or ``features`` names nothing usable.
        TypeError: If the model does not return logits.

    Source: definition. Cost: one forward pass.

    >>> forward_pass(nn.Linear(2, 3), (torch.zeros(4, 2), torch.zeros(4).long())).logits.shape
    torch.Size([4, 3])
    """
    model = plain_module(model)
    how = Measuring(features=features, batch_size=batch_size, ignore_index=ignore_index, max_seconds=None)
    reader = OutputReader(model, how, say=_unsaid)
    with preserved_state(model, data):
        return plain_pass(model, OpenSplit("the split", data, reader, how=how), reader, how=how)


def plain_pass(model: nn.Module, split: OpenSplit, reader: OutputReader, *, how: Measuring) -> Pass:
    """Run a split through a plain module that ``preserved_state`` guards already; else as ``forward_pass``.

    Source: definition. Cost: one forward pass.

    >>> model, how = nn.Linear(2, 3), Measuring()
    >>> reader = OutputReader(model, how, say=print)
    >>> split = OpenSplit("test", (torch.zeros(4, 2), torch.zeros(4).long()), reader, how=how)
    >>> plain_pass(model, split, reader, how=how).logits.shape
    torch.Size([4, 3])
    """
    device = device_of(model)

    def moved(part: Tensor) -> Tensor:
        return part.to(device, non_blocking=True)

    found: list[Rows] = []
    with tapped(model, how.features) as tap:
        for item in split.items():
            there = Item(
                inputs=changed(item.inputs, moved), targets=moved(item.targets), is_named=item.is_named
            )
            found.append(reader.rows(split.name, there, source=item, tap=tap))
    reshard(model)  # instruments look at the weights next
    seen = _joined(found)
    if why := _unscored(seen):
        reader.say_alone(split.name, why)
        return replace(seen, objective=None)
    return seen


def _unscored(seen: Pass) -> str:
    """Return why a split has no score but the user's own loss; empty if it has others."""
    if seen.objective is None or seen.loss is None or not seen.objective.kind.has_classes:
        return ""
    try:
        checked_predictions(seen.logits, seen.targets)
    except ValueError as error:
        return str(error)
    return ""


def _joined(found: list[Rows]) -> Pass:
    if len(found) == 1:
        only = found[0]
        features, examples = only.features, only.examples
        logits, targets = only.logits, only.targets
    else:
        logits, targets = torch.cat([p.logits for p in found]), torch.cat([p.targets for p in found])
        there = [p.features for p in found if p.features is not None]
        features = torch.cat(there) if len(there) == len(found) else None
        examples = _joined_examples(found)
    losses = [p.loss for p in found if p.loss is not None]
    loss = sum(value * size for value, size in losses) / sum(size for _, size in losses) if losses else None
    return Pass(
        logits=logits,
        targets=targets,
        features=features,
        examples=examples,
        objective=found[0].objective,
        loss=cast("Tensor | None", loss),
    )


def _joined_examples(found: list[Rows]) -> tuple[Tensor, int] | None:
    parts: list[Tensor] = []
    count = 0
    for rows in found:
        if rows.examples is None:
            return None
        of_each, own = rows.examples
        parts.append(of_each + count)
        count += own
    return torch.cat(parts), count


def _unsaid(_: str) -> None:
    """Say nothing."""
