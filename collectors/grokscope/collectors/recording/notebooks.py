"""Runs in notebooks and shells: a cell that is run again, broken off or dropped ends the run it had begun."""

import sys
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from grokscope.collectors.interrupts import is_interrupt
from grokscope.collectors.recording.open_run import OpenRun
from grokscope.collectors.recording.run_status import status_of


def shell() -> Any:
    """Return IPython's shell, if this is one.

    >>> shell() is None
    True
    """
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_ipython() if get_ipython is not None else None


def is_interactive() -> bool:
    """Say whether a person types this program: in a notebook, in IPython, or at Python's own prompt.

    >>> is_interactive()
    False
    """
    return hasattr(sys, "ps1") or shell() is not None


class Hooked(Protocol):
    """A tracker, as far as this asks."""

    def unhook(self) -> None:
        """Take the hooks off the optimizer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """An open run, as long as its tracker is there.

    Attributes:
        tracker: Holds the run.
        run: Does not hold the tracker.
        experiment: Of the run.
        owners: Its model and its optimizers.
        cell: What tells the cell that it was begun in; empty outside of IPython.
        execution: Which execution of a cell that was.
    """

    tracker: weakref.ref[Hooked]
    run: OpenRun
    experiment: str
    owners: tuple[weakref.ref[Any], ...]
    cell: str
    execution: int

    def is_succeeded_by(self, other: "_Entry") -> bool:
        """Say whether the later run is the same one, begun anew."""
        if self.cell and self.cell == other.cell and self.execution != other.execution:
            return True
        mine = {id(owner) for ref in self.owners if (owner := ref()) is not None}
        theirs = {id(owner) for ref in other.owners if (owner := ref()) is not None}
        return self.experiment == other.experiment and bool(mine & theirs)


class Notebook:
    """The open runs of an interactive program.

    In a script it does nothing: what is made there twice is meant.

    >>> Notebook().open_runs
    0
    """

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self._numbers = 0
        self._hooked: weakref.ref[Any] | None = None
        self._cell_began_ms = 0

    @property
    def open_runs(self) -> int:
        """How many are known."""
        return len(self._entries)

    def watch(self, tracker: Hooked, run: OpenRun, *, experiment: str, owners: Sequence[object]) -> None:
        """End the runs that this one succeeds, and this one when its tracker goes or its cell breaks off.

        Args:
            tracker: Holds the run.
            run: What is ended.
            experiment: Of the run.
            owners: Its model and its optimizers.
        """
        if not is_interactive():
            return
        cell, execution = self._cell()
        entry = _Entry(
            tracker=weakref.ref(tracker),
            run=run,
            experiment=experiment,
            owners=tuple(filter(None, map(_reference, owners))),
            cell=cell,
            execution=execution,
        )
        for number, earlier in [*self._entries.items()]:
            if earlier.is_succeeded_by(entry):
                self._leave(number)
        self._numbers += 1
        self._entries[self._numbers] = entry
        gone = weakref.finalize(tracker, self._leave, self._numbers)
        gone.atexit = False  # the program's end tells more

    def _leave(self, number: int) -> None:
        entry = self._entries.pop(number, None)
        if entry is not None:
            tracker = entry.tracker()
            if tracker is not None:
                tracker.unhook()
            entry.run.leave("FINISHED")

    def _cell(self) -> tuple[str, int]:
        """Return what tells the cell that runs now from others, and which execution this is."""
        found = shell()
        if found is None:
            return "", 0
        try:
            self._hook(found)
            return _cell_name(found), int(found.execution_count)
        except Exception as error:
            if is_interrupt(error):
                raise
            return "", 0  # a shell that is none of IPython's own

    def _hook(self, found: Any) -> None:
        if self._hooked is None or self._hooked() is not found:
            self._hooked = weakref.ref(found)
            found.events.register("pre_run_cell", self._before_cell)
            found.events.register("post_run_cell", self._after_cell)

    def _before_cell(self, *_: object) -> None:
        self._cell_began_ms = time.time_ns() // 1_000_000

    def _after_cell(self, result: Any = None) -> None:
        error: object = getattr(result, "error_in_exec", None)
        if not isinstance(error, BaseException):
            return
        execution: object = getattr(result, "execution_count", None)
        for entry in [*self._entries.values()]:
            # What another cell logs to is not this one's. It goes on if somebody logs to it again.
            if entry.execution == execution or entry.run.buffer.last_ms >= self._cell_began_ms > 0:
                entry.run.leave(status_of(error))


NOTEBOOK = Notebook()
"""The one of this process, as the shell is."""


def _cell_name(found: Any) -> str:
    """Return the cell's own id where the front end tells it, else its text."""
    parent: Any = found.get_parent() if hasattr(found, "get_parent") else {}
    told: object = parent.get("metadata", {}).get("cellId") if isinstance(parent, dict) else None
    return f"id {told}" if told else f"text {str(found.history_manager.input_hist_raw[-1]).strip()}"


def _reference(owner: object) -> "weakref.ref[Any] | None":
    try:
        return weakref.ref(owner)
    except TypeError:
        return None
