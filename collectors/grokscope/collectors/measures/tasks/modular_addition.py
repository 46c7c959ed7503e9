"""Modular addition: how far the network has come on the way to adding on circles."""

from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor, nn

from grokscope.collectors.evaluating.batches import Inputs, batches, parts_of
from grokscope.collectors.evaluating.preserved_state import device_of
from grokscope.collectors.evaluating.taps import tapped
from grokscope.collectors.measures.instrument import MeasureFn, StepContext, Use, gives
from grokscope.collectors.measures.subset import fixed
from grokscope.collectors.measures.tasks.fourier import (
    FOURIER_GINI,
    FOURIER_TOP_SHARE,
    FREQUENCY_IPR,
    KEY_FREQUENCIES,
    PARALLELOGRAM_SHARE,
    frequency_power,
    gini,
    inverse_participation,
    key_frequencies,
    parallelogram_share,
    top_share,
)
from grokscope.collectors.measures.tasks.sums import (
    EXCLUDED_LOSS,
    RESTRICTED_LOSS,
    SUM_SHARE,
    restricted_and_excluded,
    sum_frequencies,
    sum_parts,
    sum_share,
    table_loss,
)
from grokscope.collectors.tensors.predictions import logits_of


class _Addition:
    """Reads a network on the whole table; which pairs are trained on is looked up once."""

    def __init__(self, p: int, inputs: Callable[[Tensor], Inputs] | None, train: str, keys: int) -> None:
        self._pairs = torch.cartesian_prod(torch.arange(p), torch.arange(p))
        self._p = p
        self._prepare: Callable[[Tensor], Inputs] = inputs or (lambda pairs: pairs)
        self._train = train
        self._keys = keys
        self._trained: Tensor | None = None

    def logits(self, context: StepContext) -> dict[str, Tensor]:
        """Return what the logits and the representation of the table tell."""
        p = self._p
        table = self._prepare(self._pairs.to(device_of(context.model)))
        logits, features = _table_pass(context.model, table)
        parts = sum_parts(logits.view(p, p, -1))
        targets = (self._pairs.sum(dim=1) % p).view(p, p).to(logits.device)
        frequencies = sum_frequencies(parts, count=self._keys)
        restricted, excluded = restricted_and_excluded(parts, frequencies)
        values = {
            SUM_SHARE.key: sum_share(parts),
            RESTRICTED_LOSS.key: table_loss(restricted, targets),
        }
        trained = self._is_trained(context, table)
        if trained is not None:
            values[EXCLUDED_LOSS.key] = table_loss(excluded, targets, chosen=trained.view(p, p))
        if features is not None:
            # A unit as a function of the first number alone, the second averaged out.
            values[FREQUENCY_IPR.key] = inverse_participation(features.view(p, p, -1).mean(dim=1))
        return values

    def embedding(self, context: StepContext, name: str | None) -> dict[str, Tensor]:
        """Return what the rows that embed the residues tell."""
        weight = _embedding(context.model, self._p, name)
        if weight is None:
            return {}
        power = frequency_power(weight)
        return {
            FOURIER_GINI.key: gini(power),
            FOURIER_TOP_SHARE.key: top_share(power, count=self._keys),
            KEY_FREQUENCIES.key: key_frequencies(power),
            PARALLELOGRAM_SHARE.key: parallelogram_share(weight, generator=fixed(context, 0)),
        }

    def _is_trained(self, context: StepContext, table: Inputs) -> Tensor | None:
        if self._trained is None and self._train in context.splits:
            read = batches(context.splits[self._train])
            rows = _rows(table)
            seen = torch.cat([_rows(inputs).to(rows) for inputs, _ in read])
            both = torch.cat([rows, seen])
            of_row = cast("Tensor", torch.unique(both, dim=0, return_inverse=True)[1])
            self._trained = torch.isin(of_row[: len(rows)], of_row[len(rows) :])
        return self._trained


@gives(
    FOURIER_GINI,
    FOURIER_TOP_SHARE,
    KEY_FREQUENCIES,
    FREQUENCY_IPR,
    PARALLELOGRAM_SHARE,
    SUM_SHARE,
    RESTRICTED_LOSS,
    EXCLUDED_LOSS,
    use=Use.NAMED,
)
def modular_addition(
    *,
    p: int,
    inputs: Callable[[Tensor], Inputs] | None = None,
    embedding: str | None = None,
    keys: int = 5,
    train: str = "train",
) -> MeasureFn:
    """Return the instrument of ``task/...`` for a network that learns (a + b) mod p.

    From the logits of the whole table: ``sum_share``, ``restricted_loss``, and on the training pairs
    ``excluded_loss``. From the representation: ``frequency_ipr``. From the embedding: ``fourier_gini``,
    ``fourier_top_share``, ``key_frequencies``, ``parallelogram_share``. The loss's key frequencies are those
    with the most power along the sum at this step: early on, the strongest of a noise.

    Args:
        p: The modulus; classes are the residues.
        inputs: From pairs ``[p², 2]`` of residues to what the model takes, such as
            ``lambda pairs: torch.cat([pairs, torch.full((len(pairs), 1), p)], dim=1)`` for sequences that end
            in "="; of logits ``[p², T, C]`` the last position counts.
        embedding: Dotted name of the module whose ``weight`` embeds the residues in its first p rows; by
            default the first ``nn.Embedding`` of p rows or more.
        keys: How many frequencies are key.
        train: Name of the split with the training pairs, its inputs as ``inputs`` makes them.

    Raises:
        ValueError: If p < 4.

    Source: Nanda et al. 2023, arXiv:2301.05217. Cost: one forward pass over the p² pairs, some ten passes
    over their logits.

    >>> model = nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.Linear(8, 5))
    >>> sorted(modular_addition(p=5)(StepContext(step=0, model=model)))[-1]
    'task/sum_share'
    """
    if p < 4:  # noqa: PLR2004 - two pairs of residues
        raise ValueError(f"p must be at least 4, got {p}; it is the modulus")
    addition = _Addition(p, inputs, train, keys)

    def measure(context: StepContext) -> Mapping[str, Tensor]:
        return addition.logits(context) | addition.embedding(context, embedding)

    return measure


def _table_pass(model: nn.Module, table: Inputs) -> tuple[Tensor, Tensor | None]:
    """Return logits ``[p², C]`` and, where found, features ``[p², d]``, of the last position."""
    with torch.no_grad(), tapped(model) as tap:
        logits = logits_of(model(*parts_of(table)))
        features = tap.pop(classes=logits.shape[-1])
    if logits.ndim == 3:  # noqa: PLR2004 - a sequence
        features = features[:, -1] if features is not None and features.ndim == 3 else None  # noqa: PLR2004
        logits = logits[:, -1]
    return logits, features if features is not None and features.ndim == 2 else None  # noqa: PLR2004


def _embedding(model: nn.Module, p: int, name: str | None) -> Tensor | None:
    if name is not None:
        weight: object = getattr(model.get_submodule(name), "weight", None)
        if not isinstance(weight, Tensor) or weight.ndim != 2 or len(weight) < p:  # noqa: PLR2004
            raise ValueError(
                f"embedding={name!r} must have a weight of at least {p} rows; name another module"
            )
        return weight[:p]
    found = [m.weight for m in model.modules() if isinstance(m, nn.Embedding) and len(m.weight) >= p]
    return found[0][:p] if found else None


def _rows(inputs: Inputs) -> Tensor:
    """Return inputs as one row an example."""
    return torch.cat([part.reshape(len(part), -1) for part in parts_of(inputs)], dim=1)
