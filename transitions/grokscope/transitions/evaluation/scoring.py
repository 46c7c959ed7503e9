"""Scoring verdicts against reviewed labels: patterns, onsets, intervals, collapses, false alarms."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grokscope.schemas import Date, Kind, Pattern, Verdict
from grokscope.transitions.curves.series import Integers

Interval = tuple[float, float]

SCORED = (
    Pattern.GROKKING,
    Pattern.COLLAPSE,
    Pattern.MEMORIZATION,
    Pattern.CONFUSION,
    Pattern.COMPREHENSION,
)
"""Patterns that the macro-F1 averages over; ``other`` is a refusal, not a class to be found."""
SLACK = 0.05
"""An onset may also miss the labelled interval by this share of the step (or by one evaluation)."""
PHASE_SLACK = 0.1
"""The same for phase changes, whose labels are checkpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What reviewers said of one run; intervals in steps.

    Attributes:
        run: The run's id.
        pattern: Its pattern.
        onset: Where the held-out curve leaves its plateau; ``None`` if it does not.
        accept: Further patterns that a second look called defensible.
        phase_changes: Metric and interval of each abrupt change to be found.
        is_certain: Reviewers were sure; others are not scored.
        is_negative: Nothing generalizes: a generalization found here is a false alarm.
    """

    run: str
    pattern: Pattern
    onset: Interval | None = None
    accept: frozenset[str] = frozenset()
    phase_changes: Sequence[tuple[str, Interval]] = ()
    is_certain: bool = True
    is_negative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """``hits`` of ``total``."""

    hits: int
    total: int

    def __str__(self) -> str:
        """Read as in a table.

        >>> str(Tally(hits=58, total=60))
        '58/60'
        """
        return f"{self.hits}/{self.total}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How verdicts compare with labels.

    Attributes:
        macro_f1: Mean F1 over the patterns of ``SCORED`` that occur in the labels.
        false_alarms: Negative runs in which a generalization was found.
        onset: Grokking runs whose onset lies in the labelled interval, or one evaluation beside it.
        overlap: ... whose interval overlaps it.
        width_decades: Median width of those intervals; NaN without any.
        collapse: Collapsed runs in which a collapse was found.
        phase_change: Labelled phase changes that were found on their metric.
        wrong: (run, labelled, found) of the patterns that differ.
    """

    macro_f1: float
    false_alarms: Tally
    onset: Tally
    overlap: Tally
    width_decades: float
    collapse: Tally
    phase_change: Tally
    wrong: Sequence[tuple[str, str, str]]


def labels_from_json(path: Path, *, negative_sources: Iterable[str] = ("modded_nanogpt",)) -> list[Label]:
    """Return the labels of a file ``run -> {pattern, onset, events, confidence}``.

    Args:
        path: The file.
        negative_sources: First parts of run names whose ``other`` runs hold no event (pretraining losses).

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "labels.json")
    ...     _ = path.write_text('{"a": {"pattern": "grokking", "onset": [90, 110], "confidence": "high"}}')
    ...     labels_from_json(path)[0].onset
    (90.0, 110.0)
    """
    raw: dict[str, dict[str, Any]] = json.loads(path.read_text())
    sources = tuple(negative_sources)
    return [_label(run, entry, sources) for run, entry in raw.items()]


def score(verdicts: Sequence[Verdict], labels: Sequence[Label], *, steps: Mapping[str, Integers]) -> Score:
    """Return how ``verdicts`` compare with ``labels``.

    Args:
        verdicts: At most one a run; a labelled run without one counts as missed.
        labels: What is true.
        steps: Run -> steps of its evaluations, increasing, for the slack of one evaluation.

    >>> label = Label(run="a", pattern=Pattern.GROKKING, onset=(90.0, 110.0))
    >>> onset = Date(step=100, low=90, high=100)
    >>> score([Verdict(run="a", pattern=Pattern.GROKKING, onset=onset)], [label], steps={}).onset
    Tally(hits=1, total=1)
    """
    by_run = {v.run: v for v in verdicts}
    pairs = [(by_run.get(label.run), label) for label in labels if label.is_certain]
    negatives = [v for v, label in pairs if label.is_negative]
    grokking = [(v, label.onset, steps.get(label.run)) for v, label in pairs if _has_onset(label)]
    widths = [_decades(v.onset) for v, onset, _ in grokking if v is not None and v.onset and onset]
    collapsed = [v for v, label in pairs if label.pattern is Pattern.COLLAPSE]
    changes = [(v, change) for v, label in pairs for change in label.phase_changes]
    return Score(
        macro_f1=_macro_f1(pairs),
        false_alarms=_tally(_finds(v, Kind.GENERALIZATION) for v in negatives),
        onset=_tally(_is_hit(v, onset, grid) for v, onset, grid in grokking),
        overlap=_tally(_overlaps(v, onset, grid) for v, onset, grid in grokking),
        width_decades=float(np.median(widths)) if widths else float("nan"),
        collapse=_tally(_finds(v, Kind.COLLAPSE) for v in collapsed),
        phase_change=_tally(_finds_change(v, *change) for v, change in changes),
        wrong=[(lb.run, lb.pattern.value, _found(v, lb)) for v, lb in pairs if _is_wrong(v, lb)],
    )


def _label(run: str, entry: Mapping[str, Any], negative_sources: tuple[str, ...]) -> Label:
    pattern = Pattern(entry["pattern"])
    is_quiet = pattern is Pattern.OTHER and run.partition("/")[0] in negative_sources
    events = [event for event in entry.get("events") or () if event["type"] == "phase_change"]
    onset = entry.get("onset")
    return Label(
        run=run,
        pattern=pattern,
        onset=None if not onset or onset[0] is None else (float(onset[0]), float(onset[1])),
        accept=frozenset(entry.get("accept") or ()),
        phase_changes=tuple(
            (event["metric"], (event["interval"][0], event["interval"][1])) for event in events
        ),
        is_certain=entry.get("confidence") != "low",
        is_negative=pattern in (Pattern.MEMORIZATION, Pattern.CONFUSION) or is_quiet,
    )


def _tally(hits: Iterable[bool]) -> Tally:
    seen = list(hits)
    return Tally(hits=sum(seen), total=len(seen))


def _has_onset(label: Label) -> bool:
    return label.pattern is Pattern.GROKKING and label.onset is not None


def _found(verdict: Verdict | None, label: Label) -> str:
    """Return the pattern that counts as found: the labelled one for each that is as good."""
    found = "missing" if verdict is None else verdict.pattern.value
    return label.pattern.value if found in label.accept else found


def _is_wrong(verdict: Verdict | None, label: Label) -> bool:
    return label.pattern in SCORED and _found(verdict, label) != label.pattern.value


def _finds(verdict: Verdict | None, kind: Kind) -> bool:
    return verdict is not None and any(event.kind is kind for event in verdict.transitions)


def _widened(onset: Interval, grid: Integers | None) -> Interval:
    """Return the labelled interval, one evaluation wider on either side."""
    low, high = onset
    below = grid[grid < low] if grid is not None else np.empty(0)
    above = grid[grid > high] if grid is not None else np.empty(0)
    return (
        min(float(below[-1]) if len(below) else low, low * (1 - SLACK)),
        max(float(above[0]) if len(above) else high, high * (1 + SLACK)),
    )


def _is_hit(verdict: Verdict | None, onset: Interval | None, grid: Integers | None) -> bool:
    if verdict is None or verdict.onset is None or onset is None:
        return False
    low, high = _widened(onset, grid)
    return low <= verdict.onset.step <= high


def _overlaps(verdict: Verdict | None, onset: Interval | None, grid: Integers | None) -> bool:
    if verdict is None or verdict.onset is None or onset is None:
        return False
    low, high = _widened(onset, grid)
    return verdict.onset.low <= high and verdict.onset.high >= low


def _decades(date: Date | None) -> float:
    return float("nan") if date is None else float(np.log10(max(date.high, 1) / max(date.low, 1)))


def _finds_change(verdict: Verdict | None, metric: str, interval: Interval) -> bool:
    low, high = interval[0] * (1 - PHASE_SLACK), interval[1] * (1 + PHASE_SLACK)
    return verdict is not None and any(
        event.metric == metric and low <= event.step <= high for event in verdict.transitions
    )


def _macro_f1(pairs: Sequence[tuple[Verdict | None, Label]]) -> float:
    counts = Counter((label.pattern.value, _found(v, label)) for v, label in pairs if label.pattern in SCORED)
    present = {true for true, _ in counts}
    scores = [_f1(counts, pattern) for pattern in sorted(present)]
    return float(np.mean(scores)) if scores else float("nan")


def _f1(counts: Counter[tuple[str, str]], pattern: str) -> float:
    """Return 2 TP / (2 TP + FP + FN)."""
    hits = counts[pattern, pattern]
    wrong = sum(n for (true, found), n in counts.items() if (true == pattern) != (found == pattern))
    return 2 * hits / (2 * hits + wrong) if hits or wrong else 0.0
