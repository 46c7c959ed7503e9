"""Instruments that give arrays: read less often than scalars, since an array is much to keep."""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, Protocol, cast

from grokscope.collectors.measures.instrument import Array, StepContext, Use
from grokscope.schemas import Tier
from grokscope.schemas.arrays import ArrayMeasure

PER_DECADE = 8
"""How often arrays are measured in every factor of ten of the steps, at most."""

ArrayFn = Callable[[StepContext], Mapping[str, Array]]
P = ParamSpec("P")


class ArrayInstrument:
    """An instrument that is due at the first evaluation in each of ``per_decade`` parts of a decade of steps.

    Args:
        function: Gives name -> array.
        name: What its cost is logged under.
        tier: What one measurement costs.
        per_decade: How often it is due in every factor of ten.

    >>> one = ArrayInstrument(lambda context: {}, name="none", tier=Tier.CHEAP, per_decade=2)
    >>> from torch import nn
    >>> at = lambda step: StepContext(step=step, model=nn.ReLU())
    >>> [step for step in range(0, 120, 10) if one.is_due(step) and one(at(step)) == {}]
    [0, 10, 40, 100]
    """

    def __init__(self, function: ArrayFn, *, name: str, tier: Tier, per_decade: int = PER_DECADE) -> None:
        self.name = name
        self.tier = tier
        self._function = function
        self._per_decade = per_decade
        self._last: int | None = None

    def is_due(self, step: int) -> bool:
        """Say whether nothing was measured yet in this part of the decade."""
        return self._part(step) != self._last

    def __call__(self, context: StepContext, /) -> Mapping[str, Array]:
        """Return what the function returns."""
        self._last = self._part(context.step)
        return self._function(context)

    def _part(self, step: int) -> int:
        # The slack keeps exact powers of ten in the part that they begin.
        return -1 if step < 1 else math.floor(self._per_decade * math.log10(step) + 1e-9)


class ArrayConstructor(Protocol[P]):
    """A function that makes an instrument of arrays, and says which measures that gives."""

    @property
    def name(self) -> str:
        """The constructor's and the instrument's."""
        ...

    @property
    def arrays(self) -> tuple[ArrayMeasure, ...]:
        """What its instruments may give."""
        ...

    @property
    def use(self) -> Use:
        """When they are used."""
        ...

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> ArrayInstrument:
        """Make an instrument."""
        ...


def gives_arrays(
    *arrays: ArrayMeasure, use: Use = Use.GENERAL
) -> Callable[[Callable[P, ArrayFn]], ArrayConstructor[P]]:
    """Make a constructor of instruments of arrays out of a function that returns an ``ArrayFn``.

    Args:
        arrays: Which measures an instrument may give.
        use: When it is used.

    >>> STEPS = ArrayMeasure(name="my/steps", label="steps", unit="steps", axes=("k",), formula="the step")
    >>> @gives_arrays(STEPS)
    ... def steps() -> ArrayFn:
    ...     return lambda context: {}
    >>> steps().name, steps.arrays == (STEPS,)
    ('steps', True)
    """
    tier = max(one.tier for one in arrays)

    def decorated(make: Callable[P, ArrayFn]) -> ArrayConstructor[P]:
        @functools.wraps(make)
        def constructor(*args: P.args, **kwargs: P.kwargs) -> ArrayInstrument:
            return ArrayInstrument(make(*args, **kwargs), name=make.__name__, tier=tier)

        made = cast("Any", constructor)
        made.name, made.arrays, made.use = make.__name__, arrays, use
        return made

    return decorated
