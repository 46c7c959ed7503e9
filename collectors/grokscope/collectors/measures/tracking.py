"""What a tracker logs besides what it measures: the loop's own loss, its cost, and what a detector says."""

from grokscope.schemas import Direction, Kind, Measure

BATCH_LOSS = Measure(
    key="<split>/batch_loss",
    label="loss of the batch",
    unit="nats",
    low=0.0,
    direction=Direction.DOWN,
    formula="what training minimises, on the batch of the step",
)
COLLECTOR_SECONDS = Measure(
    key="collector/seconds",
    label="time spent measuring, so far",
    unit="s",
    low=0.0,
)
COLLECTOR_SHARE = Measure(
    key="collector/share",
    label="share of run time spent measuring",
    unit="1",
    low=0.0,
    high=1.0,
)
COLLECTOR_SKIPPED = Measure(
    key="collector/skipped",
    label="costly readings skipped to keep to the budget",
    unit="readings",
    low=0.0,
)
COLLECTOR_DROPPED = Measure(
    key="collector/dropped",
    label="points lost on the way",
    unit="points",
    low=0.0,
)
COLLECTOR = (COLLECTOR_SECONDS, COLLECTOR_SHARE, COLLECTOR_SKIPPED, COLLECTOR_DROPPED)
DETECTOR = tuple(
    Measure(
        key=f"detector/{kind.value}",
        label=f"{kind.word}, said live: 1 suspected, 2 confirmed, 0 withdrawn",
        unit="1",
        low=0.0,
        high=2.0,
    )
    for kind in Kind
)
