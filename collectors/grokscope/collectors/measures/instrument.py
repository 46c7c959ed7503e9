"""The seam between a tracker and its measures: what an instrument may look at, and what it gives back."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ParamSpec, Protocol, cast, overload

from torch import Tensor, nn
from torch.optim import Optimizer

from grokscope.collectors.evaluating.batches import Batch
from grokscope.collectors.evaluating.forward_pass import Pass
from grokscope.schemas import Measure, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """What an instrument may look at, at one step; it must leave all of it as it was.

    The tracker measures inside ``preserved_state``: evaluation mode, no gradients, random state put back. An
    instrument that needs gradients opens ``torch.enable_grad()`` and uses ``torch.autograd.grad``, never
    ``backward``, so that ``.grad`` stays what training made it.

    Attributes:
        step: Optimizer step.
        model: The plain module, out of ``torch.compile`` and data-parallel wrappers.
        optimizer: The one that trains it, if the tracker was given it.
        init: Parameters by name as they were when the tracker was made.
        splits: Split name -> a pair of inputs by position and targets, or an iterable of such pairs.
        passes: Split name -> logits, targets and representation of the forward pass already made, of those
            splits whose targets are classes.
        logits_of: Split name -> from what the model returns to its logits ``[..., C]``, where these are not
            simply its output.
        criteria: Split name -> from logits ``[N, C]`` and targets to what training minimises, where that is
            not the cross-entropy.
    """

    step: int
    model: nn.Module
    optimizer: Optimizer | None = None
    init: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    splits: Mapping[str, Batch | Iterable[Batch]] = field(default_factory=dict[str, Batch | Iterable[Batch]])
    passes: Mapping[str, Pass] = field(default_factory=dict[str, Pass])
    logits_of: Mapping[str, Callable[[object], Tensor]] = field(
        default_factory=dict[str, Callable[[object], Tensor]]
    )
    criteria: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = field(
        default_factory=dict[str, Callable[[Tensor, Tensor], Tensor]]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Array:
    """A small array that an instrument gives beside scalars, or in their place; see ``Tracker.log_array``.

    Attributes:
        values: On the model's device; 65 536 at most, on four axes at most.
        axes: Name of each axis in their order -> a label for each place, or ``None`` where they are numbered.
    """

    values: Tensor
    axes: Mapping[str, Sequence[str] | None]


MeasureFn = Callable[[StepContext], Mapping[str, Tensor | float | Array]]
"""The plainest instrument: a function from the context of a step to metric key -> scalar (or array)."""


class Instrument(Protocol):
    """What a tracker can hold: ``Tracker(model, optimizer, measures=[...])``.

    Scalars stay tensors on the model's device; the tracker brings all of a step to the host at once. What the
    instrument keeps between steps (an earlier representation, an eigenvector to start from) is its own.
    """

    @property
    def name(self) -> str:
        """What its cost is logged under: ``collector/seconds/<name>``."""
        ...

    @property
    def tier(self) -> Tier:
        """What measuring costs: tier 0 is measured at every evaluation, the others within the budget."""
        ...

    def __call__(self, context: StepContext, /) -> Mapping[str, Tensor | float | Array]:
        """Return metric key -> scalar, or array; empty where the context holds nothing to measure."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A function as an instrument; see ``instrument`` and ``gives``."""

    name: str
    tier: Tier
    function: MeasureFn

    def __call__(self, context: StepContext, /) -> Mapping[str, Tensor | float | Array]:
        """Return what the function returns."""
        return self.function(context)


@overload
def instrument(function: MeasureFn, /) -> Named: ...
@overload
def instrument(*, tier: Tier = Tier.CHEAP, name: str | None = None) -> Callable[[MeasureFn], Named]: ...
def instrument(
    function: MeasureFn | None = None, /, *, tier: Tier = Tier.CHEAP, name: str | None = None
) -> Named | Callable[[MeasureFn], Named]:
    """Make an instrument of a function of a ``StepContext``.

    Args:
        function: Gives metric key -> scalar tensor or number.
        tier: What one measurement costs; ``Tier.FREE`` is never skipped.
        name: Of its cost in the log; the function's own by default.

    >>> @instrument(tier=Tier.FREE)
    ... def zeros(context: StepContext) -> Mapping[str, Tensor]:
    ...     parameters = nn.utils.parameters_to_vector(context.model.parameters())
    ...     return {"weights/zeros": (parameters == 0).float().mean()}
    >>> zeros.name, zeros(StepContext(step=0, model=nn.Linear(1, 1, bias=False)))
    ('zeros', {'weights/zeros': tensor(0.)})
    """

    def named(given: MeasureFn) -> Named:
        return Named(name=name or getattr(given, "__name__", "measure"), tier=tier, function=given)

    return named if function is None else named(function)


class Use(StrEnum):
    """When an instrument is used."""

    DEFAULT = "default"
    """By every tracker that is not told otherwise."""
    GENERAL = "general"
    """By ``cheap()`` or ``everything()``: it fits any model and task."""
    NAMED = "named"
    """Where it is asked for by name: it has to be told something about the model or the task."""


P = ParamSpec("P")


class Constructor(Protocol[P]):
    """A function that makes an instrument, and says which measures that gives."""

    @property
    def name(self) -> str:
        """The constructor's and the instrument's."""
        ...

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What its instruments may give."""
        ...

    @property
    def use(self) -> Use:
        """When they are used."""
        ...

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Instrument:
        """Make an instrument."""
        ...


def gives(*measures: Measure, use: Use = Use.GENERAL) -> Callable[[Callable[P, MeasureFn]], Constructor[P]]:
    """Make a constructor of instruments out of a function that returns a ``MeasureFn``.

    An instrument is named after the function; its tier is that of the costliest of its measures.

    Args:
        measures: Whose keys an instrument may give.
        use: When it is used.

    >>> STEP = Measure(key="my/step", label="step", unit="steps", tier=Tier.COSTLY)
    >>> @gives(STEP)
    ... def steps(*, first: int = 0) -> MeasureFn:
    ...     return lambda context: {STEP.key: float(first + context.step)}
    >>> made = steps(first=1)
    >>> made.name, made.tier.name, made(StepContext(step=2, model=nn.ReLU()))
    ('steps', 'COSTLY', {'my/step': 3.0})
    """
    tier = tier_of(measures)

    def decorated(make: Callable[P, MeasureFn]) -> Constructor[P]:
        @functools.wraps(make)
        def constructor(*args: P.args, **kwargs: P.kwargs) -> Instrument:
            return Named(name=make.__name__, tier=tier, function=make(*args, **kwargs))

        made = cast("Any", constructor)
        made.name, made.measures, made.use = make.__name__, measures, use
        return made

    return decorated


def tier_of(measures: Iterable[Measure]) -> Tier:
    """Return the tier of the costliest of some measures.

    >>> tier_of([Measure(key="my/step", label="step", unit="steps")]).name
    'FREE'
    """
    return max(measure.tier for measure in measures)
