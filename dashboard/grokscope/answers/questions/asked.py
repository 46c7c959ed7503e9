"""What is asked beside the question: of which experiment, run, groups, target and time."""

from dataclasses import dataclass

from grokscope.interventions.outcomes.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a question is narrowed by; each question takes some of these.

    Attributes:
        experiment: Its name; ``None`` for the one with the newest activity, or for all where it is of a time.
        run: A run's id, the begin of it, or its name.
        by: Params that runs are grouped by, with commas between; ``None`` for what their seeds share.
        target: What is to be reached; ``None`` for generalization as the verdict dates it.
        since_ms: Unix time in ms.
    """

    experiment: str | None = None
    run: str | None = None
    by: str | None = None
    target: Target | None = None
    since_ms: int | None = None
