"""Records of lines as points: which clock counts, and where the lines without one belong."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import polars as pl

from grokscope.importing.limits import Tally
from grokscope.importing.readers.text.record import Record
from grokscope.importing.records import LOG_SCHEMA
from grokscope.importing.steps import FALL_BACK, counted_together, epoch_length, whole_steps

_EPOCHS = "its steps are epochs"
_LIMIT = 2.0**62
PAIRS = "pairs of names and numbers"
"""The style of no program in particular; progress bars are in it."""


def points_of(
    records: Sequence[Record], path: Path, tally: Tally, *, style: str
) -> tuple[pl.DataFrame, tuple[str, ...], bool]:
    """Return the points of lines, what is to be said of them, and whether they are in thousandths.

    A line without a place of its own belongs to the last one before it. Of several values at one
    step, as progress bars write them, the last is kept.

    Args:
        records: Of the lines.
        path: Where they come from.
        tally: Counts points.
        style: Of which they are. Before its first step, llm.c evaluates at step 0.
    """
    places, notes = _places(records, from_zero=style == "llm.c")
    rows, lost, replaced, again = _rows(places, records, tally)
    tally.points(len(rows))
    if lost:
        notes = (*notes, f"values that tell no step are left out where the step before has its own: {lost:,}")
    if again:
        notes = (*notes, FALL_BACK)
    elif replaced and style != PAIRS:
        notes = (*notes, f"{replaced:,} values have the step of a later one, which is kept")
    schema = {"metric": pl.String(), "step": pl.Float64(), "value": pl.Float64()}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    whole = whole_steps(frame["step"], where=path.name)
    points = frame.with_columns(whole.steps.alias("step"), pl.lit(None, dtype=pl.Int64).alias("time_ms"))
    return points.select(LOG_SCHEMA.names()), (*notes, *whole.notes), whole.in_thousandths


def _rows(
    places: Sequence[tuple[float | None, bool]], records: Sequence[Record], tally: Tally
) -> tuple[list[tuple[str, float, float]], int, int, bool]:
    """Return the points, how many values were left out and how many replaced, and if steps start again.

    What tells no step, the mean of an epoch for instance, does not replace what the step before it told.
    """
    rows: dict[tuple[str, float], tuple[str, float, float]] = {}
    told: set[tuple[str, float]] = set()
    replaced = lost = 0
    highest, again = -_LIMIT, False
    for (place, is_own), record in zip(places, records, strict=True):
        if place is None or abs(place) >= _LIMIT:
            continue
        for name, value in record.values.items():
            key = (tally.name(name), place)
            if key in told and not is_own:
                lost += 1
                continue
            again |= key in told and place < highest
            told.update([key] if is_own else ())
            replaced += rows.pop(key, None) is not None
            rows[key] = (name, place, value)
        highest = max(highest, place)
    return list(rows.values()), lost, replaced, again


def _places(
    records: Sequence[Record], *, from_zero: bool
) -> tuple[list[tuple[float | None, bool]], tuple[str, ...]]:
    """Return where each record belongs and whether it says so itself, and what is to be said of it."""
    records = _in_epochs(records)
    placed = [record for record in records if record.is_placed]
    if any(record.inner is not None for record in placed):
        own, notes = _together(records, [record.inner for record in records])
    elif _starts_again(placed):
        own, notes = _together(records, [record.step for record in records])
    elif any(record.step is not None for record in placed):
        own, notes = [record.step for record in records], ()
    else:
        own, notes = [record.epoch for record in records], (_EPOCHS,)
    last = 0.0 if from_zero else None
    places: list[tuple[float | None, bool]] = []
    for place in own:
        last = last if place is None else place
        places.append((last, place is not None))
    return places, notes


def _in_epochs(records: Sequence[Record]) -> Sequence[Record]:
    """Return records that tell steps with the epochs that lines of their own tell, before or behind."""
    epochs = [one.epoch for one in records if one.epoch is not None]
    is_apart = all(one.epoch is None or (one.step is None and one.inner is None) for one in records)
    # What is evaluated before training, at step 0, does not tell how epochs are told.
    first = next((one for one in records if one.is_placed and one.step != 0), None)
    if first is None or not epochs or not is_apart:
        return records
    at, rest = first.epoch, iter(epochs)
    if at is None:  # an epoch is told at its end
        at = next(rest)
    found: list[Record] = []
    for one in records:
        found.append(one if one.step is None else replace(one, epoch=at))
        if one.epoch is not None:
            at = one.epoch if first.epoch is not None else next(rest, one.epoch + 1)
    return found


def _starts_again(placed: Sequence[Record]) -> bool:
    both = [(one.epoch, one.step) for one in placed if one.epoch is not None and one.step is not None]
    last: dict[float, float] = {}
    for epoch, step in both:
        last[epoch] = max(step, last.get(epoch, step))
    falls = [
        later[1] < earlier[1] or last[later[0]] <= later[1] == earlier[1]  # only its last step is told
        for earlier, later in pairwise(both)
        if later[0] > earlier[0]
    ]
    return bool(falls) and sum(falls) > len(falls) / 2


def _together(
    records: Sequence[Record], steps: Sequence[float | None]
) -> tuple[list[float | None], tuple[str, ...]]:
    """Return steps that start again in each epoch as steps over all epochs, and what is to be said of them.

    A line that tells an epoch only stands at its end, or where it is.
    """
    first = min(one.epoch for one in records if one.epoch is not None)
    spans = [one.span for one in records if one.span is not None]
    told = Counter(step for step in steps if step is not None)
    if told[0] == 1 and len(told) > 1:
        del told[0]  # what is evaluated once, before training, is no step of each epoch
    # Where each epoch tells one step only, it is its last.
    length = max(spans) if spans else max(told) if len(told) == 1 else epoch_length(told)
    own = [
        None if one.epoch is None or step is None else (one.epoch - first) * length + step
        for one, step in zip(records, steps, strict=True)
    ]
    return own, (counted_together(length),)
