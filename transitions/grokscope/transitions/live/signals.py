"""Early signals of a live run: free with the evaluation pass, and earlier than accuracy."""

from collections.abc import Mapping

from grokscope.schemas import Check

TURNOVER = 0.05
"""Held-out loss this share below its highest since the train fit has fallen."""
LIFT = 0.05
"""Mean reciprocal rank this far above its value at the train fit has lifted."""
IN_A_ROW = 3
"""Evaluations in a row that a signal takes."""


class Signals:
    """Watch and alert: two rules of thumb, which promise nothing.

    ``watch``: held-out loss falls below its highest since the fit. Earliest, but it also fires when logits
    merely shrink under weight decay: on 12 controls 4 times. ``alert``: mean reciprocal rank lifts; on 5
    controls once. Neither bounds its false alarms; ``evidence``, which the e-process adds, does.
    """

    def __init__(self) -> None:
        self.raised: dict[str, Check] = {}
        self._highest: float | None = None
        self._rank_at_fit: float | None = None
        self._rows = {"watch": 0, "alert": 0}

    def update(self, step: int, values: Mapping[str, float], *, split: str) -> None:
        """Take one evaluation after the train fit; ``raised`` then holds what each signal has found."""
        loss, rank = values.get(f"{split}/loss"), values.get(f"{split}/mrr")
        if loss is not None:
            self._highest = loss if self._highest is None else max(self._highest, loss)
            finding = f"{split}/loss fell {100 * TURNOVER:g} % below its highest since the fit"
            self._count("watch", loss < (1 - TURNOVER) * self._highest, step, finding)
        if rank is not None:
            self._rank_at_fit = rank if self._rank_at_fit is None else self._rank_at_fit
            self._count("alert", rank > self._rank_at_fit + LIFT, step, f"{split}/mrr lifted")

    def _count(self, name: str, holds: bool, step: int, finding: str) -> None:  # noqa: FBT001  the one condition
        self._rows[name] = self._rows[name] + 1 if holds else 0
        if self._rows[name] == IN_A_ROW and name not in self.raised:
            self.raised[name] = Check.of(name, f"{finding} by step {step}", holds=True)
