"""Judgements in tables: what a family's runs were taken for, and what that makes over all families."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np

from grokscope.transitions.evaluation.laboratory.judging import Judgement
from grokscope.transitions.evaluation.scoring import SCORED

HEAD = (
    "| family | truth | right | taken for | onset hit | onset covered | events told | false events a run |",
    "|---|---|---|---|---|---|---|---|",
)


def by_family(judgements: Iterable[Judgement]) -> Iterator[str]:
    """Yield the lines of a markdown table, one a family; judgements of one family follow each other."""
    yield from HEAD
    for family, group in groupby(judgements, key=lambda j: j.family):
        runs = list(group)
        wrong = Counter(_found(j) for j in runs if not j.is_right)
        cells = (
            family,
            runs[0].truth.pattern.value,
            share(j.is_right for j in runs),
            ", ".join(f"{name} {count}" for name, count in wrong.most_common()),
            share(j.onset for j in runs),
            share(j.covers_onset for j in runs),
            share(told for j in runs for told in j.events),
            _false_events(runs),
        )
        yield f"| {' | '.join(cells)} |"


def by_kind(judgements: Iterable[Judgement]) -> Iterator[str]:
    """Yield how often the intervals of each family hold the truth, and how wide they are, as a table."""
    yield "| kind | runs | dated | onset covered | width | midpoint covered | width |"
    yield "|---|---|---|---|---|---|---|"
    for kind, group in groupby(judgements, key=lambda j: j.family):
        runs = list(group)
        cells = (
            kind,
            str(len(runs)),
            share(j.covers_onset is not None for j in runs),
            share(j.covers_onset for j in runs),
            _median(j.onset_width for j in runs),
            share(j.covers_midpoint for j in runs),
            _median(j.midpoint_width for j in runs),
        )
        yield f"| {' | '.join(cells)} |"


def summary(judgements: Sequence[Judgement]) -> Iterator[str]:
    """Yield what the judgements make over all families, one fact a line."""
    yield f"runs {len(judgements)}, right {share(j.is_right for j in judgements)}"
    yield f"macro-F1 {macro_f1(judgements):.3f} over {', '.join(p.value for p in SCORED)}"
    alarms = [j.false_alarm for j in judgements if j.false_alarm is not None]
    yield f"false alarms {sum(alarms)} of {len(alarms)}, {share(alarms)}"
    yield f"onset hit {share(j.onset for j in judgements)}"
    for name in ("onset", "midpoint"):
        covered = share(getattr(j, f"covers_{name}") for j in judgements)
        width = _median(getattr(j, f"{name}_width") for j in judgements)
        yield f"{name} covered {covered}, median width {width} evaluations"
    yield f"events told {share(told for j in judgements for told in j.events)}"
    yield f"false events {_false_events(judgements)} a run"
    yield f"refused {sum(j.verdict is None for j in judgements)}"


def macro_f1(judgements: Iterable[Judgement]) -> float:
    """Return the mean F1 over the patterns of ``SCORED`` that are true of a run; NaN without any.

    A run of no such pattern that is taken for one counts against that one.
    """
    counts = Counter((j.truth.pattern, j.pattern) for j in judgements)
    scores: list[float] = []
    for pattern in SCORED:
        hits = counts[pattern, pattern]
        wrong = sum(n for (true, found), n in counts.items() if (true is pattern) != (found is pattern))
        if any(true is pattern for true, _ in counts):
            scores.append(2 * hits / (2 * hits + wrong))
    return float(np.mean(scores)) if scores else float("nan")


def wrong_runs(judgements: Iterable[Judgement]) -> Iterator[str]:
    """Yield one line for each run whose pattern or onset is wrong, or whose events were missed."""
    for j in judgements:
        if j.is_right and j.onset is not False and all(j.events) and not j.false_events and not j.false_alarm:
            continue
        events = () if j.verdict is None else j.verdict.transitions
        told = [f"{event.kind.value}@{event.step} {event.metric}" for event in events]
        dated = None if j.verdict is None or j.verdict.onset is None else j.verdict.onset.step
        yield (
            f"{'wrong ' if not j.is_right else ''}{j.family} seed {j.seed}: {j.truth.pattern.value}, "
            f"onset {_step(j.truth.onset)}, events {_events(j)}; found {_found(j)}, onset {_step(dated)}, "
            f"told {told}; missing {[] if j.verdict is None else list(j.verdict.missing)}"
        )


def share(hits: Iterable[bool | None]) -> str:
    """Return the share of those that are true among those that are not ``None``; empty without any.

    >>> share([True, False, None]), share([None])
    ('50 %', '')
    """
    known = [hit for hit in hits if hit is not None]
    return f"{100 * np.mean(known):.3g} %" if known else ""


def _found(judgement: Judgement) -> str:
    return "refused" if judgement.verdict is None else judgement.verdict.pattern.value


def _step(step: float | None) -> str:
    return "none" if step is None else f"{step:.0f}"


def _events(judgement: Judgement) -> list[str]:
    return [f"{kind} {low:.0f}-{high:.0f}" for kind, (low, high) in judgement.truth.events]


def _false_events(judgements: Sequence[Judgement]) -> str:
    kinds = Counter(kind for j in judgements for kind in j.false_events)
    return ", ".join(f"{kind} {count / len(judgements):.2f}" for kind, count in kinds.most_common())


def _median(widths: Iterable[int | None]) -> str:
    known = [width for width in widths if width is not None]
    return f"{np.median(known):.3g}" if known else ""
