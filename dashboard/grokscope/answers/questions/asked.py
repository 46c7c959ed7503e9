"""What is asked beside the question: of which experiment, run, groups, target and time."""

from dataclasses import dataclass

from grokscope.interventions.outcomes.target import Target
from grokscope.schemas.runs.query import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a question is narrowed by; each question takes some of these.

    Attributes:
        experiment: Its name; ``None`` for the one with the newest activity, or for all where it is of a time.
        run: A run's id, the begin of it, or its name.
        by: Params that runs are grouped by, with commas between; ``None`` for what their seeds share.
        target: What is to be reached; ``None`` for generalization as the verdict dates it.
        where: Which of the experiment's runs; ``None`` for all.
        since_ms: Unix time in ms.
        count_in: The unit of a cost; ``None`` for steps.
    """

    experiment: str | None = None
    run: str | None = None
    by: str | None = None
    target: Target | None = None
    where: Query | None = None
    since_ms: int | None = None
    count_in: str | None = None
