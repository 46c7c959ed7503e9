"""The rise of a held-out curve: plateau, onset, midpoint, completion, top."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from grokscope.schemas import Check, Date, Kind, Status, Transition
from grokscope.transitions.curves.intervals import Crossing, dated
from grokscope.transitions.curves.levels import begin_level, end_level
from grokscope.transitions.curves.noise import error_of_median, jitter, persistence_of, wander, worth_of
from grokscope.transitions.curves.plateau import MIDPOINT, ONSET, Plateau, plateau_of, top_of
from grokscope.transitions.curves.series import Curve, median, running_median
from grokscope.transitions.events.completion import (
    LOST,
    NEARLY,
    completion_index,
    completion_of,
    finished_step,
)
from grokscope.transitions.events.records import Detail, Origin

KEPT = 0.6
"""... and the share of a rise to a lower level that has to be kept: 1 over a chance of 0.5 asks for 0.8."""
LEAST_LATE = 0.25
"""A rise after the fit is generalization if it covers this share of what was left above its plateau."""
TOLERANCE = 0.1
"""Share of a rise within which a curve counts as being at a level."""
STANDARD_ERRORS = 4.0
"""A rise that is not complete exceeds so many standard errors of a median, because a live run is looked at
again and again."""
DELAY_RATIO = 3.0
"""Generalization this many times later than the train fit is delayed, whatever the evaluation grid."""
HIGHEST = 3.0
"""Standard errors by which the highest of a few hundred medians exceeds their level."""
FOOT = 0.25
"""A log that begins below this share of the top begins at the foot of the rise at worst: the onset may be a
little earlier than the log, and the interval says so."""
SHORT_WAIT = 5
"""Fewer evaluations than this between train fit and completion show no plateau of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """One rise, up to the highest level that the curve sustains; levels as shares of what is possible.

    Attributes:
        start: Index of the evaluation from which the curve was read.
        begin: Level at the beginning of the log.
        plateau, top: Levels before and after.
        held: Median of everything since the top was reached.
        share_held: Share of all evaluations that lie above its midpoint.
        end: Median of the last evaluations of the log.
        onset, midpoint: Where 10 % and 50 % of the rise are passed; ``None`` if that is before the log.
        onset_at, midpoint_at: The same, not rounded to whole steps.
        completed: It comes to the generalized level, or settles at a lower one; ``None`` if neither.
        finished_step: Where the last per cents have come too.
        is_from_flat: The curve waited on flat ground instead of creeping up.
        is_steady: It crept up as it began, and never gathered speed.
        is_seen_from_plateau: The log shows the level before the rise.
        noise: How high noise alone may bring the top above the plateau, so many evaluations as it was held.
        is_clear: It stands out of that noise.
        is_settled: The curve stays at its top for the last quarter of the log, or reached completion.
    """

    start: int
    begin: float
    plateau: float
    top: float
    held: float
    share_held: float
    end: float
    onset: Date | None
    midpoint: Date | None
    onset_at: float | None
    midpoint_at: float | None
    completed: Date | None
    finished_step: int
    is_from_flat: bool
    is_steady: bool
    is_seen_from_plateau: bool
    noise: float
    is_clear: bool
    is_settled: bool

    @property
    def height(self) -> float:
        """Size of the rise, as a share of what is possible."""
        return self.top - self.plateau

    @property
    def share(self) -> float:
        """Size of the rise, as a share of what was left above its plateau."""
        return self.height / max(1 - self.plateau, self.height)

    @property
    def sure_share(self) -> float:
        """The same without what noise alone may have brought; all of it where the level is generalized."""
        noise = 0.0 if self.top >= NEARLY else self.noise
        return (self.height - noise) / max(1 - self.plateau, self.height)

    @property
    def lost_below(self) -> float:
        """Level below which what was reached counts as lost."""
        return LOST if self.top >= NEARLY else self.begin + KEPT * (self.top - self.begin)

    @property
    def lasts(self) -> bool:
        """The rise stands out of the noise, and its top was no passing excursion."""
        return self.is_clear and (self.completed is not None or not self.has_reverted)

    @property
    def has_reverted(self) -> bool:
        """The top was a passing excursion: since then, or at the end, the curve is less than half-way up."""
        return min(self.held, self.end) < self.plateau + MIDPOINT * self.height

    def event(self, origin: Origin, test: Curve, date: Date, *, evidence: Sequence[Check]) -> Transition:
        """Return the event of generalization at ``date``, which the run's definition gives."""
        detail = Detail(
            onset=self.onset,
            midpoint=self.midpoint,
            completion=self.completed,
            before=test.level(self.plateau),
            after=test.level(self.top),
            status=Status.CONFIRMED if self.is_settled else Status.IN_PROGRESS,
            evidence=evidence,
        )
        return origin.event(Kind.GENERALIZATION, test.metric, date, detail=detail)


def rise_of(curve: Curve, *, after: int | None) -> Rise | None:
    """Return the rise of ``curve`` to its highest sustained level.

    It is read from the train fit on; a wait too short to show a plateau, from the beginning of the log.

    Args:
        curve: A held-out score, as progress.
        after: Step at which the training set was fit; ``None`` reads from the beginning.

    Returns:
        ``None`` if nothing rises.

    >>> test = np.array([0.0, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 1.0, 1.0, 1.0])
    >>> rise = rise_of(Curve(metric="test/accuracy", steps=np.arange(10), values=test), after=1)
    >>> rise.plateau, rise.top, rise.completed
    (0.3, 1.0, Date(step=7, low=6, high=7))
    """
    done = completion_index(curve)
    start = 0 if after is None else int(np.searchsorted(curve.steps, after))
    if after is not None and done is not None and _is_short_wait(curve, after, start, done):
        start = 0
    near_top = _arrival(curve, start)
    end = near_top if done is None or start < near_top < done else done
    if end <= start:
        return None
    top = top_of(curve, end)
    plateau = plateau_of(curve, start, end, top=top)
    half_way = curve.values[start] + MIDPOINT * (top - curve.values[start])
    if plateau.level > half_way and (start == 0 or not plateau.is_flat):
        # Ground that high is the end of a rise from where it was read, however long it takes.
        risen = start + max(int(np.argmax(curve.values[start:] >= half_way)), 1)
        plateau = plateau_of(curve, start, risen, top=top)
    if start > 0 and not plateau.is_flat:
        plateau = _from_the_beginning(curve, (start, end), top=top) or plateau
    if start == 0 and not plateau.is_flat:
        level = min(plateau.level, begin_level(curve))
        plateau = Plateau(level=level, lowest=level, is_flat=False)
    if top <= plateau.level:
        return None
    return _dated(curve, (start, end, done), plateau=plateau, top=top)


def _from_the_beginning(curve: Curve, waited: tuple[int, int], *, top: float) -> Plateau | None:
    """Return the flat ground that a rise leaves after the fit, though it was waited on before as well."""
    start, end = waited
    plateau = plateau_of(curve, 0, end, top=top)
    at_fit = median(curve.values[start - 1 : start + 2])
    is_still_there = abs(at_fit - plateau.level) <= TOLERANCE * (top - plateau.level)
    return plateau if plateau.is_flat and is_still_there else None


def _is_short_wait(curve: Curve, after: int, start: int, done: int) -> bool:
    """Return whether too little lies between fit and completion to show a plateau."""
    return done - start < SHORT_WAIT and int(curve.steps[done]) < DELAY_RATIO * after


def _dated(curve: Curve, found: tuple[int, int, int | None], *, plateau: Plateau, top: float) -> Rise:
    start, end, done = found
    half_way = plateau.level + MIDPOINT * (top - plateau.level)
    is_settled = done is not None or len(curve) - end >= (len(curve) - start) / 4
    completed = completion_of(curve, end, done, half_way=half_way) if is_settled else None
    window = slice(start, end + curve.patience)
    onset, midpoint = dated(curve, plateau=plateau, top=top, window=window, completed=completed)
    noise = _noise_of_top(curve, (start, end), onset and onset.index, plateau)
    onset, is_seen = _seen(curve, start, onset, plateau=plateau, top=top)
    midpoint = midpoint if is_seen else None
    return Rise(
        start=start,
        begin=begin_level(curve),
        plateau=plateau.level,
        top=top,
        held=median(curve.values[end:]),
        share_held=float(np.mean(curve.values >= half_way)),
        end=end_level(curve),
        onset=onset and onset.date,
        midpoint=midpoint and midpoint.date,
        onset_at=onset and onset.at,
        midpoint_at=midpoint and midpoint.at,
        completed=completed,
        finished_step=int(curve.steps[end]) if done is None else finished_step(curve, done),
        is_from_flat=plateau.is_flat,
        is_steady=plateau.is_steady,
        is_seen_from_plateau=is_seen,
        noise=noise,
        is_clear=done is not None or top - plateau.level > noise,
        is_settled=is_settled,
    )


def _seen(
    curve: Curve, start: int, onset: Crossing | None, *, plateau: Plateau, top: float
) -> tuple[Crossing | None, bool]:
    """Return the onset as the log shows it, and whether the log shows the level before the rise."""
    if _is_seen_from_plateau(curve, start, onset and onset.index, plateau=plateau, top=top):
        return onset, True
    if onset is not None and curve.values[0] < FOOT * top:
        return replace(onset, date=replace(onset.date, low=0)), True
    return None, False


def _is_seen_from_plateau(
    curve: Curve, start: int, waited: int | None, *, plateau: Plateau, top: float
) -> bool:
    """Return whether the log shows the level before the rise, instead of beginning on the way up.

    A first value below a tenth of the top leaves the whole rise to the log, whatever chance level is. Higher
    up the log has to begin on flat ground, or to wait some evaluations in the lower half.
    """
    if start > 0 or curve.steps[0] <= 0 or curve.values[0] < ONSET * top:
        return True
    first = median(curve.values[:3])
    lies_flat = plateau.is_flat and abs(first - plateau.level) <= TOLERANCE * (top - plateau.level)
    return lies_flat or ((waited or 0) >= SHORT_WAIT and first <= MIDPOINT * top)


def _noise_of_top(curve: Curve, waited: tuple[int, int], onset: int | None, plateau: Plateau) -> float:
    """Return how high noise alone may bring the median of the evaluations since the wait.

    Both levels have an error; the size of noise is read off the plateau, or off the steps from one evaluation
    to the next where the curve never waited.
    """
    start, end = waited
    ground = curve.values[start:end][:onset]
    if len(ground) == 0:
        return 0.0
    size = max(float(np.std(ground)) if plateau.is_flat else 0.0, jitter(curve.values[start:]))
    held = min(len(curve) - end, curve.patience)
    worth = worth_of(persistence_of(ground - median(ground)) if plateau.is_flat else 0.0)
    error = float(np.hypot(error_of_median(size, worth * held), error_of_median(size, worth * len(ground))))
    return STANDARD_ERRORS * max(error, wander(curve.values[start:], width=held))


def _arrival(curve: Curve, start: int) -> int:
    """Return where the smoothed curve after ``start`` first comes close to its own highest level."""
    smooth = running_median(curve.values[start:], width=curve.patience | 1)
    if len(smooth) == 0:
        return start
    low, high = float(np.min(smooth)), float(np.max(smooth))
    # The highest of many noisy medians lies above the top that they share.
    noise = HIGHEST * jitter(curve.values[start:]) * float(np.sqrt(np.pi / 2 / (curve.patience | 1)))
    return start + int(np.argmax(smooth >= high - max(TOLERANCE / 2 * (high - low), noise)))
