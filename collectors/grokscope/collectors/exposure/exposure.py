"""What a training has seen so far, as progress that is logged beside its curves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.exposure.amounts import Total, amount_of, at_most, is_away, plain, ratio
from grokscope.collectors.exposure.batch_size import size_of
from grokscope.collectors.exposure.distinct import STANDARD_ERROR, DistinctIds, DistinctRows
from grokscope.collectors.recording.ranks import processes
from grokscope.collectors.warning import contained

_COUNTED = ("examples", "tokens", "positions")
_OFTEN = 32
"""What is only logged, not evaluated, has its progress so often while the steps grow by their own number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What has been seen: numbers, or scalar tensors on an accelerator; ``None`` is not known.

    Attributes:
        examples: As often as they were seen.
        tokens: Without padding.
        positions: With padding: what the model works on.
    """

    examples: Any = None
    tokens: Any = None
    positions: Any = None


class Exposure:
    """Counts what a training sees: ``tracker.exposure``, fed by ``tracker.seen``.

    Args:
        how: Says how much a step holds where batches are not counted, and what the training set holds.
        warn: Takes a sentence about what cannot be counted.
        goes_on: The run has a past, which is not known until ``load_state_dict``.

    >>> exposure = Exposure(Measuring(dataset_examples=40), warn=print)
    >>> for _ in range(3):
    ...     exposure.add(examples=32, tokens=32 * 8)
    >>> exposure.values(3)["progress/tokens"], exposure.values(3)["progress/repetitions"]
    (768.0, 2.4)
    """

    def __init__(self, how: Measuring, *, warn: Callable[[str], object], goes_on: bool = False) -> None:
        self._how = how
        self._warn = warn
        self._is_past_known = not goes_on
        self._batches = 0
        self._totals = {name: Total() for name in _COUNTED}
        self._distinct = {"ids": DistinctIds, "contents": DistinctRows}.get(how.unique or "", lambda: None)()
        self._missed = 0
        self._logged: int | None = None
        self._latest: int | None = None
        self._is_told = True

    @property
    def batches(self) -> int:
        """How many batches were counted."""
        return self._batches

    def add(
        self,
        batch: object = None,
        *,
        examples: Any = None,
        tokens: Any = None,
        ids: Any = None,
        times: int | None = None,
    ) -> None:
        """Count one training batch; see ``Tracker.seen``.

        Args:
            batch: Inputs, or inputs and targets, as the loader gives them; numbers given go before its own.
            examples: How many it holds.
            tokens: How many it holds, without padding.
            ids: The examples' numbers in the training set.
            times: How many processes saw as much; ``None`` takes all that train on batches of their own.

        Raises:
            ValueError: If the batch or a number is not what it must be; nothing is counted then.
        """
        size = None if batch is None else size_of(batch, ignore_index=self._how.ignore_index)
        found = {
            "examples": amount_of("examples", examples)
            if size is None or examples is not None
            else size.examples,
            "tokens": amount_of("tokens", tokens) if size is None or tokens is not None else size.tokens,
        }
        found["positions"] = found["tokens"] if size is None else size.positions
        if found["examples"] is None and found["tokens"] is None:
            raise ValueError("what was seen is a batch, or numbers: tracker.seen(examples=..., tokens=...)")
        times = times or self._how.data_parallel or processes()
        self._batches += 1
        self._is_told, self._latest = False, None
        for name, amount in found.items():
            if amount is not None:
                self._totals[name].add(amount, times)
        if self._distinct is not None:
            self._note(ids, None if size is None else size.inputs, found["examples"], times)
        elif ids is not None:
            self._warn("ids are counted where the tracker has measuring=Measuring(unique='ids')")

    def due(self, step: int) -> dict[str, Any]:
        """Return the values for what is only logged at ``step``; none at most steps, as these grow many."""
        if not self._batches or self._is_told:
            return {}
        before, self._latest = self._logged, step
        if before is not None and before <= step < before + before / _OFTEN:
            return {}
        with contained(self._warn, "what training has seen was not logged"):
            return self.values(step)
        return {}

    def last(self) -> tuple[int, dict[str, Any]] | None:
        """Return the step that was logged last with the values for it, if they were left out then."""
        if self._latest is None or self._is_told:
            return None
        with contained(self._warn, "what training has seen was not logged"):
            return self._latest, self.values(self._latest)
        return None

    def values(self, step: int) -> dict[str, Any]:
        """Return the progress to log at ``step``: numbers, or scalar tensors on an accelerator."""
        self._logged, self._is_told = step, True
        counts = self.counts(step)
        found = {"progress/examples": counts.examples, "progress/tokens": counts.tokens}
        found["progress/unique_tokens"] = at_most(counts.tokens, self._how.dataset_tokens)
        counted = self._unique()
        is_counted = self._how.unique is not None
        found["progress/unique_examples"] = (
            counted if is_counted else at_most(counts.examples, self._how.dataset_examples)
        )
        found["progress/epochs"] = ratio(counts.examples, self._how.dataset_examples)
        if found["progress/epochs"] is None:
            found["progress/epochs"] = ratio(counts.tokens, self._how.dataset_tokens)
        found["progress/repetitions"] = ratio(counts.examples, found["progress/unique_examples"])
        if found["progress/repetitions"] is None and not is_counted:
            found["progress/repetitions"] = ratio(counts.tokens, found["progress/unique_tokens"])
        return {key: plain(value) for key, value in found.items() if value is not None}

    def counted(self) -> tuple[str, ...]:
        """Return the keys of what every batch so far has told."""
        told = (name for name in ("examples", "tokens") if 0 < self._totals[name].batches == self._batches)
        return tuple(f"progress/{name}" for name in told)

    def counts(self, step: int) -> Counts:
        """Return what has been seen until ``step``: as it was counted, else as the steps hold."""
        if not self._batches:
            return self._by_steps(step)
        if not self._is_past_known:
            self._warn(
                "the run goes on, and what it has seen before is not known, so neither examples nor tokens "
                "are logged; call tracker.exposure.load_state_dict with tracker.exposure.state_dict() of then"
            )
            return self._by_steps(step)
        by_steps = self._by_steps(step)
        found = {
            name: one.value() if one.batches == self._batches else getattr(by_steps, name)
            for name, one in self._totals.items()
        }
        for name in ("examples", "tokens"):
            told = self._totals[name].batches
            if 0 < told < self._batches:
                self._warn(
                    f"{name} are not logged: {self._batches - told} of {self._batches} batches told none; "
                    f"write tracker.seen(batch, {name}=...)"
                )
        return Counts(**found)

    def state_dict(self) -> dict[str, Any]:
        """Return what ``load_state_dict`` takes, for a checkpoint; numbers and text, so JSON keeps it too."""
        totals = {name: [one.batches, float(one.value())] for name, one in self._totals.items()}
        distinct = None if self._distinct is None else self._distinct.state()
        return {
            "batches": self._batches,
            **totals,
            "unique": self._how.unique,
            "distinct": distinct,
            "missed": self._missed,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state_dict()`` of an earlier process, or from ``{}``, the beginning.

        Raises:
            ValueError: If it is something else.

        >>> before, after = Exposure(Measuring(), warn=print), Exposure(Measuring(), warn=print, goes_on=True)
        >>> before.add(examples=8)
        >>> after.load_state_dict(before.state_dict())
        >>> after.add(examples=4)
        >>> after.values(2)
        {'progress/examples': 12.0}
        """
        try:
            batches = int(state.get("batches", 0))
            totals = {name: Total.of(*state.get(name, (0, 0.0))) for name in _COUNTED}
            distinct, unique = state.get("distinct"), state.get("unique", self._how.unique)
            if self._distinct is not None and distinct is not None and unique == self._how.unique:
                self._distinct.restore(distinct)
            missed = int(state.get("missed", 0)) + (batches if unique != self._how.unique else 0)
        except Exception as error:
            raise ValueError(
                f"the state is what tracker.exposure.state_dict() gave, got {type(state).__name__}"
            ) from error
        self._batches, self._totals, self._missed = batches, totals, missed
        self._is_past_known = True

    def _by_steps(self, step: int) -> Counts:
        examples, tokens = self._how.examples_per_step, self._how.tokens_per_step
        total = None if tokens is None else step * tokens
        return Counts(examples=None if examples is None else step * examples, tokens=total, positions=total)

    def _note(self, ids: Any, inputs: Any, examples: Any, times: int) -> None:
        """Note which examples these are; where that cannot be told, no number of distinct ones is logged."""
        try:
            rows = _told(ids, examples) if self._how.unique == "ids" else _array("inputs", inputs)
            _check_alone(times)
            if self._distinct is not None:
                self._distinct.add(rows)
        except ValueError as error:
            self._missed += 1
            self._warn(f"distinct examples are not counted, nor repetitions ({error})")

    def _unique(self) -> float | None:
        is_known = self._distinct is not None and not self._missed and self._is_past_known
        return self._distinct.count() if self._distinct is not None and is_known and self._batches else None


def asked_progress(how: Measuring | None) -> frozenset[str]:
    """Return the keys of progress that options ask for besides what is counted anyway.

    >>> sorted(asked_progress(Measuring(dataset_examples=40)))
    ['progress/epochs', 'progress/repetitions', 'progress/unique_examples']
    """
    found = set[str]()
    if how is not None and (how.dataset_examples is not None or how.dataset_tokens is not None):
        found |= {"epochs", "repetitions"}
    if how is not None and (how.dataset_examples is not None or how.unique is not None):
        found |= {"repetitions", "unique_examples"}
    if how is not None and how.dataset_tokens is not None:
        found.add("unique_tokens")
    return frozenset(f"progress/{name}" for name in found)


def exposure_params(how: Measuring) -> dict[str, str]:
    """Return the params that say what the training set holds, and how distinct examples are counted.

    >>> exposure_params(Measuring(dataset_tokens=9_000))
    {'compute.exposure.unique_tokens': '9000', 'compute.exposure.unique_from': 'size of the set'}
    >>> exposure_params(Measuring(unique="contents"))
    {'compute.exposure.unique_from': 'contents, within 0.8 %'}
    """
    sizes = {"unique_examples": how.dataset_examples, "unique_tokens": how.dataset_tokens}
    found = {name: str(size) for name, size in sizes.items() if size is not None}
    ways = {"ids": "ids", "contents": f"contents, within {STANDARD_ERROR:.1%}".replace("%", " %")}
    if how.unique is not None or found:
        found["unique_from"] = ways.get(how.unique or "", "size of the set")
    return {f"compute.exposure.{name}": text for name, text in found.items()}


def _array(name: str, given: Any) -> "np.ndarray[Any, Any]":
    if given is None:
        raise ValueError(
            f"a batch came without {name}; write tracker.seen(batch{', ids=...' * (name == 'ids')})"
        )
    if is_away(given):
        raise ValueError(f"{name} are on an accelerator; call tracker.seen before they are moved there")
    if str(getattr(given, "dtype", "")) == "torch.bfloat16":
        given = given.float()  # exact, and NumPy has no such type
    return np.asarray(given.detach() if hasattr(given, "detach") else given)


def _told(ids: Any, examples: Any) -> "np.ndarray[Any, Any]":
    found = _array("ids", ids)
    if found.ndim != 1 or (isinstance(examples, int) and len(found) != examples):
        raise ValueError(f"ids are one an example, of which there are {examples}, got {list(found.shape)}")
    return found


def _check_alone(times: int) -> None:
    if times > 1:
        raise ValueError(f"one of {times} processes does not see what the others do")
