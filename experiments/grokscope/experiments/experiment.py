"""An experiment: what it trains, in which arms, and what its source says will happen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from grokscope.experiments.recipe import Recipe
from grokscope.schemas import Kind, Pattern, Verdict
from grokscope.schemas.runs.description import Value

if TYPE_CHECKING:  # it loads torch, which a command does without that only lists arms
    from grokscope.experiments.training.training import Training


def _no_settings() -> Mapping[str, Value]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a run of an arm should do, as far as a verdict can tell.

    Attributes:
        says: The same in words.
        patterns: One of these is the run's pattern; empty allows any.
        kinds: Each of these events is among the run's transitions.
        without: None of these is.
        metric: The curve that the events of ``kinds`` and ``without`` are on; ``None`` for any.

    Raises:
        ValueError: If any run would meet it.
    """

    says: str
    patterns: frozenset[Pattern] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    without: frozenset[Kind] = frozenset()
    metric: str | None = None

    def __post_init__(self) -> None:
        if not (self.patterns or self.kinds or self.without):
            raise ValueError(
                f"any run would be found to be as expected ({self.says}); give patterns, kinds or without"
            )

    def is_met_by(self, verdict: Verdict) -> bool:
        """Say whether a run did what is expected of it."""
        seen = {one.kind for one in verdict.transitions if self.metric in (None, one.metric)}
        return (
            (not self.patterns or verdict.pattern in self.patterns)
            and self.kinds <= seen
            and not self.without & seen
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Runs of an experiment that differ only in their seed.

    Attributes:
        group: What they share, in words.
        expects: What each of them should do.
        settings: Fields of the recipe that differ from their defaults.
        seeds: How many runs.
        is_control: Whether it is what the others are compared with: the event is to stay away, or to come
            otherwise, since its cause is missing.
    """

    group: str
    expects: Expectation
    settings: Mapping[str, Value] = field(default_factory=_no_settings)
    seeds: int = 3
    is_control: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One experiment that really trains on a CPU.

    Attributes:
        name: What ``grokscope experiments`` and a sweep call it: words with hyphens.
        title: What is trained on what, in one line.
        event: What there is to see, in a few words.
        source: Who described it: authors, year, and where to read it.
        recipe: The settings; all have defaults.
        prepare: From a recipe to its training; seeds torch itself.
        arms: What is trained to show the event, and the controls beside it.
        seconds: How long one run of the first arm takes on one core, roughly.
    """

    name: str
    title: str
    event: str
    source: str
    recipe: type[Recipe]
    prepare: "Callable[[Any], Training]"
    arms: tuple[Arm, ...]
    seconds: float
