"""One forward pass over a split: logits, targets and representation, a row a target."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from grokscope.collectors.evaluating.batches import Batch, batches, parts_of
from grokscope.collectors.evaluating.preserved_state import device_of, plain_module, preserved_state
from grokscope.collectors.evaluating.taps import tapped
from grokscope.collectors.tensors.predictions import logits_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one forward pass over a split gave.

    Attributes:
        logits: ``[N, C]``.
        targets: ``[N]`` class indices.
        features: ``[N, d]``, the representation that the logits were made from, if one was found.
    """

    logits: Tensor
    targets: Tensor
    features: Tensor | None


def forward_pass(
    model: nn.Module,
    data: Batch | Iterable[Batch],
    *,
    features: str | None = None,
    batch_size: int | None = None,
    ignore_index: int | None = None,
) -> Pass:
    """Run a split through the model, leaving no trace (see ``preserved_state``).

    Args:
        model: Gives logits ``[N, C]`` or ``[N, T, C]`` as a tensor, or as ``.logits`` of what it returns.
        data: ``(inputs, targets)`` as tensors, or an iterable of such pairs; inputs may be a tuple for
            ``model(*inputs)``, targets are class indices ``[N]`` or ``[N, T]``. All are moved to the model's
            device. Logits of the whole split are held at once: N · T · C values.
        features: Dotted name of the module whose input is the representation ``[N, d]`` or ``[N, T, d]``;
            by default the last ``nn.Linear`` of C outputs that the pass met.
        batch_size: Examples a pass when ``data`` is one pair; ``None`` takes it whole.
        ignore_index: Leave out targets of this value (torch's own default for padding is -100). ``None``
            leaves out none and spares the synchronisation a batch that this costs on an accelerator.

    Raises:
        ValueError: If the split is empty, shapes do not match, or ``features`` names nothing usable.
        TypeError: If the model does not return logits.

    Source: definition. Cost: one forward pass.

    >>> forward_pass(nn.Linear(2, 3), (torch.zeros(4, 2), torch.zeros(4).long())).logits.shape
    torch.Size([4, 3])
    """
    model = plain_module(model)
    with preserved_state(model, data):
        return plain_pass(model, data, features=features, batch_size=batch_size, ignore_index=ignore_index)


def plain_pass(
    model: nn.Module,
    data: Batch | Iterable[Batch],
    *,
    features: str | None,
    batch_size: int | None,
    ignore_index: int | None,
) -> Pass:
    """Run a split through a plain module that ``preserved_state`` guards already; else as ``forward_pass``.

    Source: definition. Cost: one forward pass.

    >>> model, data = nn.Linear(2, 3), (torch.zeros(4, 2), torch.zeros(4).long())
    >>> with preserved_state(model, data):
    ...     plain_pass(model, data, features=None, batch_size=None, ignore_index=None).logits.shape
    torch.Size([4, 3])
    """
    device = device_of(model)
    passes: list[Pass] = []
    with tapped(model, features) as tap:
        for inputs, targets in batches(data, batch_size=batch_size):
            moved = (part.to(device, non_blocking=True) for part in parts_of(inputs))
            logits = logits_of(model(*moved))
            representation = tap.pop(classes=logits.shape[-1] if logits.ndim else 0)
            rows = _rows(logits, targets.to(device, non_blocking=True), representation, named=features)
            passes.append(_without(rows, ignore_index))
    return _joined(passes)


def _rows(logits: Tensor, targets: Tensor, features: Tensor | None, *, named: str | None) -> Pass:
    if logits.shape[:-1] != targets.shape:
        raise ValueError(
            f"logits must be [N, C] or [N, T, C] with targets [N] or [N, T], got {list(logits.shape)} and "
            f"{list(targets.shape)}; let the model return one row of logits a target"
        )
    if features is not None and features.shape[:-1] != targets.shape:
        if named is not None:
            raise ValueError(
                f"features={named!r} must take [N, d] or [N, T, d] with one row a target, got "
                f"{list(features.shape)} for targets {list(targets.shape)}; name a later module"
            )
        features = None
    return Pass(
        logits=logits.flatten(0, -2),
        targets=targets.flatten(),
        features=None if features is None else features.flatten(0, -2),
    )


def _without(rows: Pass, ignored: int | None) -> Pass:
    if ignored is None:
        return rows
    kept = rows.targets != ignored
    features = None if rows.features is None else rows.features[kept]
    return Pass(logits=rows.logits[kept], targets=rows.targets[kept], features=features)


def _joined(passes: list[Pass]) -> Pass:
    if len(passes) == 1:
        return passes[0]
    features = [p.features for p in passes if p.features is not None]
    return Pass(
        logits=torch.cat([p.logits for p in passes]),
        targets=torch.cat([p.targets for p in passes]),
        features=torch.cat(features) if len(features) == len(passes) else None,
    )
