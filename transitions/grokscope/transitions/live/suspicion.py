"""The suspicion that a live run generalizes: an e-process on its held-out score, and two rules of thumb."""

import math
from collections.abc import Mapping

from grokscope.schemas import Check, Kind, Status, Transition
from grokscope.schemas.metrics.held_out import FIRST
from grokscope.transitions.events import records as events
from grokscope.transitions.live.baseline import Baseline
from grokscope.transitions.live.e_process import EProcess
from grokscope.transitions.live.signals import Signals

E_PROCESS = "e-process"
"""The definition that a suspicion goes by, and its withdrawal."""
SCORES = ("information", "mrr", "accuracy")
"""Held-out quantities in [0, 1] that the e-process can bet on, the most specific first."""


class Suspicion:
    """Watches the held-out score from the train fit on; raised once or never.

    Args:
        alpha: It is raised when the e-process reaches 1/alpha.
        margin, baseline: See ``LiveDetector``.

    >>> suspicion = Suspicion("a", alpha=0.01, margin=0.05, baseline=0.1)
    >>> [suspicion.update(step, {"test/mrr": 0.9}) is not None for step in range(5)], suspicion.split
    ([False, False, False, False, True], 'test')
    """

    def __init__(self, run_id: str, *, alpha: float, margin: float, baseline: float | None) -> None:
        self.split: str | None = None
        self.signals = Signals()
        self.raised: Transition | None = None
        self._origin = events.Origin(run_id=run_id, definition=E_PROCESS)
        self._alpha = alpha
        self._baseline = Baseline(margin=margin, known=baseline)
        self._process: EProcess | None = None
        self._score: str | None = None
        self._last_quiet: int | None = None
        self._is_off = False

    @property
    def e_value(self) -> float:
        """The e-process as it stands; 1 before it begins."""
        return 1.0 if self._process is None else self._process.value

    @property
    def held_out(self) -> str:
        """Key of the held-out accuracy."""
        return f"{self.split or 'test'}/accuracy"

    def choose_split(self, values: Mapping[str, float]) -> None:
        """Settle which split is held out: the first that has a score, ``test`` before ``val``."""
        if self.split is None:
            has_score = (s for s in FIRST if any(f"{s}/{q}" in values for q in SCORES))
            self.split = next(has_score, None)

    def start_again(self) -> None:
        """Forget the level, whose unit was another; once bets were made on it, bet no more instead."""
        self._is_off = self._process is not None
        self._baseline = Baseline(margin=self._baseline.margin, known=self._baseline.known)

    def update(self, step: int, values: Mapping[str, float]) -> Transition | None:
        """Take one evaluation since the train fit; return the suspicion if this is where it is raised."""
        self.choose_split(values)
        if self.split is None or self._is_off:
            return None
        self.signals.update(step, values, split=self.split)
        score = self._score_in(values)
        if score is None or self._bet(step, score) < 1 / self._alpha or self.raised is not None:
            return None
        self.raised = self._raise(step)
        return self.raised

    def _score_in(self, values: Mapping[str, float]) -> float | None:
        """Return the score, cut to 0..1; the first evaluation that has one settles which it is."""
        if self._score is None:
            self._score = next((k for q in SCORES if (k := f"{self.split}/{q}") in values), None)
        score = None if self._score is None else values.get(self._score)
        return None if score is None or not math.isfinite(score) else min(max(score, 0.0), 1.0)

    def _bet(self, step: int, score: float) -> float:
        """Bet against the level that earlier scores have set, then let this one set the next; return E."""
        level = self._baseline.level
        if level is not None:
            self._process = self._process or EProcess(mean=level)
            self._process.update(score, mean=level)
        if level is None or score <= level:
            self._last_quiet = step
        if self.raised is None:  # what has risen is no baseline: E goes on against the level of the suspicion
            self._baseline.add(score)
        return self.e_value

    def _raise(self, step: int) -> Transition:
        score = self._score or self.held_out
        found = f"e-value {self.e_value:.3g} on {score}, which is 1/{self._alpha:g} or more"
        self.signals.raised["evidence"] = Check.of("evidence", found, holds=True)
        low = min(0, step) if self._last_quiet is None else self._last_quiet
        detail = events.Detail(
            before=self._baseline.level, status=Status.SUSPECTED, evidence=tuple(self.signals.raised.values())
        )
        date = events.Date(step=step, low=low, high=step)
        return self._origin.event(Kind.GENERALIZATION, score, date, detail=detail)
