"""The seam between work that falls into independent tasks and what does it: tasks in, results out.

A task is a pure function of its input: what is random in it comes from a seed in its input, never from who
does it. So every kind of workers gives the same results.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

Input = TypeVar("Input")
Output = TypeVar("Output")
Held_co = TypeVar("Held_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Done(Generic[Held_co]):
    """A task that returned.

    Attributes:
        value: What it returned.
    """

    value: Held_co


@dataclass(frozen=True, slots=True)
class Failed:
    """A task that raised, or whose workers were lost.

    Attributes:
        error: What it raised.
    """

    error: Exception


Result = Done[Held_co] | Failed


class Workers(Protocol):
    """Do tasks. ``HERE`` does them in this process, one after the other."""

    @property
    def count(self) -> int:
        """How many tasks are done at once, at least 1."""
        ...

    def map(self, task: Callable[[Input], Output], inputs: Sequence[Input]) -> Iterator[Result[Output]]:
        """Yield how each task ended, in the order of the inputs; one that fails costs none of the others.

        Args:
            task: A pure function that can be pickled, and so can what it takes, returns and raises.
            inputs: One a task.
        """
        ...


class ThisProcess:
    """The one worker that is always there. Does each task as its result is asked for; nothing is pickled.

    >>> list(ThisProcess().map(lambda x: 6 // x, [0, 2]))
    [Failed(error=ZeroDivisionError('integer division or modulo by zero')), Done(value=3)]
    """

    count = 1

    def map(self, task: Callable[[Input], Output], inputs: Sequence[Input]) -> Iterator[Result[Output]]:
        """Yield how each task ended, in the order of the inputs."""
        for one in inputs:
            yield attempted(task, one)


HERE = ThisProcess()


def shared_out(inputs: Sequence[Input], count: int) -> list[Sequence[Input]]:
    """Return inputs in at most ``count`` parts of about the same length, in order, for tasks of many at once.

    >>> shared_out("abcde", 2), shared_out("a", 4), shared_out("", 2)
    (['abc', 'de'], ['a'], [])
    """
    parts = min(count, len(inputs))
    ends = [-(-len(inputs) * part // parts) for part in range(parts + 1)] if parts else []
    return [inputs[start:end] for start, end in pairwise(ends)]


def attempted(task: Callable[[Input], Output], given: Input) -> Result[Output]:
    """Return how a task ended that is done now.

    >>> attempted(abs, -1)
    Done(value=1)
    """
    try:
        return Done(task(given))
    except Exception as error:  # noqa: BLE001 - whoever asked for the task is told
        return Failed(error)


def values(results: Iterable[Result[Output]]) -> list[Output]:
    """Return what the tasks returned, in order.

    Raises:
        Exception: What the first task that failed has raised.

    >>> values([Done(1), Done(2)])
    [1, 2]
    """
    return [value_of(one) for one in results]


def value_of(result: Result[Output]) -> Output:
    """Return what a task returned.

    Raises:
        Exception: What it raised.

    >>> value_of(Done(1))
    1
    """
    if isinstance(result, Failed):
        raise result.error
    return result.value
