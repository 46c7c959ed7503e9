"""What can be wrong with a store: one class a state, so that a page or a command can tell them apart."""

import difflib
from collections.abc import Iterable, Sequence

from grokscope.schemas import GrokscopeError

_SHOWN = 5


class StoreError(GrokscopeError):
    """Base of everything that can be wrong with a store."""


class UnknownStoreError(StoreError):
    """The text is not the address of a store that can be read."""


class MissingStoreError(StoreError):
    """The SQLite file is not there."""


class CorruptStoreError(StoreError):
    """The file is there and is not a readable SQLite database."""


class SchemaError(StoreError):
    """A database that is not MLflow's, or of an MLflow that is too old or too new."""


class BusyStoreError(StoreError):
    """The store is there and cannot answer now: locked by a writer, too slow, or throttled. Try again."""


class NoRoomError(StoreError):
    """The disk takes no more of the store; what it holds is whole."""


class UnreachableError(StoreError):
    """Nobody answers at the address."""


class NotMLflowError(StoreError):
    """Somebody answers at the address, and it is not MLflow."""


class AccessError(StoreError):
    """The store is there and refuses: credentials or file permissions."""


class ServerFailedError(StoreError):
    """MLflow answers that it failed (5xx)."""


class ExperimentNotFoundError(StoreError):
    """No active experiment has the name."""


class RunNotFoundError(StoreError):
    """No active run has the id.

    Attributes:
        run_ids: The ids that are not there.
    """

    def __init__(self, message: str, *, run_ids: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.run_ids = tuple(run_ids)


def experiment_not_found(name: str, known: Iterable[str]) -> ExperimentNotFoundError:
    """Return the error that names the closest experiments, or says that there are none.

    >>> print(experiment_not_found("modular", ["modular-addition", "parity"]))
    experiment 'modular' does not exist; closest: 'modular-addition'. Choose an existing one.
    >>> print(experiment_not_found("x", []))
    experiment 'x' does not exist: the store holds none. Log a run first, or check its address.
    """
    names = sorted(known)
    if not names:
        return ExperimentNotFoundError(
            f"experiment {name!r} does not exist: the store holds none. "
            "Log a run first, or check its address."
        )
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    listed = ", ".join(map(repr, close or names[:_SHOWN]))
    more = "" if close or len(names) <= _SHOWN else f" and {len(names) - _SHOWN} more"
    return ExperimentNotFoundError(
        f"experiment {name!r} does not exist; {'closest' if close else 'existing'}: {listed}{more}. "
        "Choose an existing one."
    )


def no_experiment(name: str) -> ExperimentNotFoundError:
    """Return the error for an experiment that is not there, where nobody has asked which are.

    >>> print(no_experiment("x"))
    experiment 'x' does not exist; choose an existing one.
    """
    return ExperimentNotFoundError(f"experiment {name!r} does not exist; choose an existing one.")


def runs_not_found(missing: Sequence[str], deleted: Sequence[str]) -> RunNotFoundError:
    """Return the error for ids that never were runs (``missing``) or are ``deleted``.

    >>> print(runs_not_found([], ["a1"]))
    run 'a1' is deleted. Restore it (`mlflow runs restore --run-id a1`) or leave it out.
    """
    gone = [*missing, *deleted]
    if not missing:
        return RunNotFoundError(
            f"run {gone[0]!r} is deleted{_others(gone)}. "
            f"Restore it (`mlflow runs restore --run-id {gone[0]}`) or leave it out.",
            run_ids=gone,
        )
    return RunNotFoundError(
        f"run {gone[0]!r} does not exist in this store{_others(gone)}. "
        "Leave it out, or check the store's address.",
        run_ids=gone,
    )


def _others(gone: Sequence[str]) -> str:
    return f", and {len(gone) - 1} more with it" if len(gone) > 1 else ""
