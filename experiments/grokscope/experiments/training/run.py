"""Where a run is logged, who watches it meanwhile, and when it is over."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from grokscope.collectors import Tracker
from grokscope.collectors.recording.sink import Sink
from grokscope.experiments.recipe import Recipe
from grokscope.schemas import Kind, OnlineDetector, RunDescription


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a run is logged.

    Attributes:
        experiment: Name of the MLflow experiment.
        store: MLflow tracking URI; ``None`` takes the tracker's default.
        run_id: The run's id on the tracker's side; ``None`` makes one.
    """

    experiment: str
    store: str | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """When a run need not go on.

    Attributes:
        after: Once the detector has confirmed an event of this kind ...
        factor: ... and the run has gone on to this multiple of the event's step.
    """

    after: Kind
    factor: float = 1.5


def _say_nothing(step: int) -> None:
    del step


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of an experiment, seen from outside.

    Attributes:
        to: Where it is logged.
        report: Called with the number of steps done, at each evaluation.
        detector: Watches it meanwhile.
        stop: When it need not go on; needs a detector.
        sink: Where its records go instead, for tests.
    """

    to: Destination
    report: Callable[[int], None] = _say_nothing
    detector: OnlineDetector | None = None
    stop: StopRule | None = None
    sink: Sink | None = None

    def describe(self, recipe: Recipe) -> RunDescription:
        """Return the recipe on the survey's axes, and the rule that may end the run before its steps do.

        >>> stop = StopRule(after=Kind.GENERALIZATION)
        >>> run = Run(to=Destination(experiment="e"), stop=stop)
        >>> run.describe(Recipe()).to_params()["intervention.protocol.stop"]
        'at 1.5 times generalization'
        """
        told = recipe.describe()
        if self.stop is None:
            return told
        rule = f"at {self.stop.factor:g} times {self.stop.after}"
        return replace(told, protocol={**told.protocol, "stop": rule})

    def is_over(self, tracker: Tracker, step: int) -> bool:
        """Say whether the rule, if there is one, ends the run at ``step``."""
        if self.stop is None:
            return False
        seen = [one.step for one in tracker.events if one.kind is self.stop.after]
        return any(step >= max(self.stop.factor * at, at + 1) for at in seen)
