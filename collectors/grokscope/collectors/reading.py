"""The seam between a tracker and its measures: what an instrument may look at, and what it gives back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, overload

from torch import Tensor, nn
from torch.optim import Optimizer

from grokscope.collectors.evaluating.batches import Batch
from grokscope.collectors.evaluating.forward_pass import Pass
from grokscope.schemas import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an instrument may look at, at one step; it must leave all of it as it was.

    The tracker reads inside ``preserved_state``: evaluation mode, no gradients, random state put back. An
    instrument that needs gradients opens ``torch.enable_grad()`` and uses ``torch.autograd.grad``, never
    ``backward``, so that ``.grad`` stays what training made it.

    Attributes:
        step: Optimizer step.
        model: The plain module, out of ``torch.compile`` and data-parallel wrappers.
        optimizer: The one that trains it, if the tracker was given it.
        init: Parameters by name as they were when the tracker was made.
        splits: Split name -> data as the caller gave it.
        passes: Split name -> logits, targets and representation of the forward pass already made.
    """

    step: int
    model: nn.Module
    optimizer: Optimizer | None = None
    init: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    splits: Mapping[str, Batch | Iterable[Batch]] = field(default_factory=dict[str, Batch | Iterable[Batch]])
    passes: Mapping[str, Pass] = field(default_factory=dict[str, Pass])


Read = Callable[[Reading], Mapping[str, Tensor | float]]
"""The plainest instrument: a function from a reading to metric key -> scalar."""


class Instrument(Protocol):
    """A measure that a tracker can hold: ``Tracker(model, optimizer, measures=[...])``.

    Scalars stay tensors on the model's device; the tracker brings all of a step to the host at once. What the
    instrument keeps between steps (an earlier representation, an eigenvector to start from) is its own.
    """

    @property
    def name(self) -> str:
        """What its cost is logged under: ``collector/seconds/<name>``."""
        ...

    @property
    def tier(self) -> Tier:
        """How dear it is: tier 0 is read at every evaluation, the others within the budget."""
        ...

    def __call__(self, reading: Reading) -> Mapping[str, Tensor | float]:
        """Return metric key -> scalar; empty where the reading holds nothing to measure."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A function as an instrument; see ``instrument``."""

    name: str
    tier: Tier
    read: Read

    def __call__(self, reading: Reading) -> Mapping[str, Tensor | float]:
        """Return what the function returns."""
        return self.read(reading)


@overload
def instrument(read: Read, /) -> Named: ...
@overload
def instrument(*, tier: Tier = Tier.CHEAP, name: str | None = None) -> Callable[[Read], Named]: ...
def instrument(
    read: Read | None = None, /, *, tier: Tier = Tier.CHEAP, name: str | None = None
) -> Named | Callable[[Read], Named]:
    """Make an instrument of a function of a ``Reading``.

    Args:
        read: Gives metric key -> scalar tensor or number.
        tier: What one reading costs; ``Tier.FREE`` is never skipped.
        name: Of its cost in the log; the function's own by default.

    >>> @instrument(tier=Tier.FREE)
    ... def zeros(reading: Reading) -> Mapping[str, Tensor]:
    ...     parameters = nn.utils.parameters_to_vector(reading.model.parameters())
    ...     return {"weights/zeros": (parameters == 0).float().mean()}
    >>> zeros.name, zeros(Reading(step=0, model=nn.Linear(1, 1, bias=False)))
    ('zeros', {'weights/zeros': tensor(0.)})
    """

    def named(function: Read) -> Named:
        return Named(name=name or getattr(function, "__name__", "measure"), tier=tier, read=function)

    return named if read is None else named(read)
