"""A tracker's arguments, checked before training begins: each mistake is told in one sentence."""

import os
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from grokscope.collectors.evaluating.measuring import Measuring
from grokscope.collectors.optimizers import (
    given_optimizers,
    hooked_optimizers,
    is_optimizer,
    readable_optimizer,
)
from grokscope.collectors.recording.run_ids import TrackerError
from grokscope.schemas import store_uri
from grokscope.schemas.addresses import Address, UnknownAddressError, address_of
from grokscope.schemas.extras import Extra, missing
from grokscope.schemas.limits import EXPERIMENT_LENGTH
from grokscope.schemas.secrets import without_credentials

if TYPE_CHECKING:
    from grokscope.collectors.detecting.checkpoints import CheckpointBuffer, Checkpoints

_SHOWN_LENGTH = 50


def checked_store(given: object) -> str:
    """Return the address of the store: ``given``, else what the environment says, else MLflow's own default.

    Raises:
        TrackerError: If it is no address that MLflow can write to.

    >>> checked_store("https://mlflow.example.org")
    'https://mlflow.example.org'
    """
    if given is not None and not isinstance(given, str):
        raise TrackerError(f"store is an address as text, got {_shown(given)}; write f'sqlite:///{{path}}'")
    uri = store_uri(given)
    if "\0" in uri or uri != uri.encode("utf-8", "replace").decode():
        raise TrackerError(
            f"store is an address of characters that a file's name can have, got {_shown(uri)}"
        )
    try:
        address = address_of(uri)
    except UnknownAddressError:
        address = _of_plugin(uri)
    if address.why_not_written:
        raise TrackerError(f"store={address.shown!r} {address.why_not_written}")
    return address.uri


def _of_plugin(uri: str) -> Address:
    plugins = {point.name for point in entry_points(group="mlflow.tracking_store")}
    if os.environ.get("MLFLOW_ALLOW_FILE_STORE", "").lower() in {"true", "1"}:
        plugins |= {"file", ""}  # MLflow itself opens folders for those who ask for it
    try:
        return address_of(uri, plugins=plugins)
    except UnknownAddressError as error:
        raise TrackerError(f"store={without_credentials(uri)!r} {error.reason}") from None


def check_unknown(given: Mapping[str, object]) -> None:
    """Refuse arguments that a tracker does not have, by their names.

    Raises:
        TrackerError: If one of them is the earlier name of another.
        TypeError: Of the first that is not.

    >>> check_unknown({})
    """
    if "journal" in given:
        raise TrackerError(
            "journal= is called sink= now; write Tracker(..., sink=MemorySink()), with "
            "`from grokscope.collectors.testing import MemorySink`"
        )
    if given:
        raise TypeError(f"Tracker got an unexpected keyword argument {next(iter(given))!r}")


def check_names(experiment: object, name: object) -> None:
    """Refuse an experiment or a run's name that is no text, or none at all.

    Raises:
        TrackerError: If one of them is.

    >>> check_names("grokking", None)
    """
    if not isinstance(experiment, str) or not experiment.strip() or len(experiment) > EXPERIMENT_LENGTH:
        raise TrackerError(
            f"experiment is a name of 1 to {EXPERIMENT_LENGTH} characters, got {_shown(experiment)}; write "
            "Tracker(..., experiment='grokking')"
        )
    if name is not None and not isinstance(name, str):
        raise TrackerError(f"name is text, got {_shown(name)}; leave it out, or write name='...'")


def check_parts(**given: Any) -> None:
    """Refuse what cannot do the part that it is given, by the name of the tracker's argument.

    Raises:
        TrackerError: Of the first that cannot.

    >>> check_parts(schedule=100)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    grokscope.collectors.recording.run_ids.TrackerError: schedule is a function of a step, ...
    """
    for name in ("schedule", "dense"):
        if given.get(name) is not None and not callable(given[name]):
            raise TrackerError(f"{name} is a function of a step, as every(100), got {_shown(given[name])}")
    measures: Any = given.get("measures", ())
    if isinstance(given.get("measures"), str | Mapping) or not hasattr(measures, "__iter__"):
        raise TrackerError(
            f"measures is a list of instruments or functions, got {_shown(measures)}; write measures=[...]"
        )
    if not isinstance(given.get("measuring"), Measuring | None):
        raise TrackerError(f"measuring is a Measuring(...), got {_shown(given['measuring'])}")
    detector = given.get("detector")
    if detector is not None and not callable(getattr(detector, "update", None)):
        raise TrackerError(f"detector is one with update(step, values), got {_shown(detector)}")


def check_model(model: object, optimizer: object) -> None:
    """Refuse what is no module, and what is neither an optimizer nor several of them; no model is fine.

    Raises:
        TrackerError: If one of them cannot be measured, or torch is not installed.

    >>> from torch import nn
    >>> check_model(nn.Linear(1, 1), None)
    """
    if model is None:
        return
    try:
        from torch import nn  # noqa: PLC0415 - torch is optional
    except ModuleNotFoundError:
        raise TrackerError(
            f"{missing('measuring a model', 'torch', Extra.TORCH)}. "
            "Tracker(experiment=...) alone logs without it"
        ) from None

    if not isinstance(model, nn.Module):
        raise TrackerError(
            f"model is a torch.nn.Module, got {_shown(model)}; without one, write Tracker(experiment=...)"
        )
    wrong = [one for one in given_optimizers(optimizer) if not is_optimizer(one)]
    if optimizer is not None and wrong:
        raise TrackerError(
            f"optimizer is a torch.optim.Optimizer, or a list or mapping of them, got {_shown(wrong[0])}"
        )


def measured_optimizer(model: Any, optimizer: object, *, warn: Callable[[str], object]) -> Any:
    """Return what stands for the optimizer in measures, and say what of it cannot be measured.

    >>> from torch import nn, optim
    >>> model, other = nn.Linear(1, 1), nn.Linear(1, 1)
    >>> _ = measured_optimizer(model, optim.SGD(other.parameters()), warn=print)
    SGD holds no parameter of Linear: its updates are not measured; build it from model.parameters()
    """
    found = readable_optimizer(optimizer) if optimizer is not None else None
    if found is None:
        return None
    names = " and ".join(dict.fromkeys(type(one).__name__ for one in given_optimizers(optimizer)))
    hooked = hooked_optimizers(found)
    own = {id(parameter) for parameter in model.parameters()}
    if not hooked:
        warn(
            f"torch calls no hooks of {names}, nor holds it an optimizer that has them, so gradients and "
            "updates are not measured"
        )
    elif not any(id(p) in own for one in hooked for group in one.param_groups for p in group["params"]):
        warn(
            f"{names} holds no parameter of {type(model).__name__}: its updates are not measured; build it "
            "from model.parameters()"
        )
    return found


def checkpoint_buffer(
    checkpoints: "Checkpoints | None", model: Any, detector: object, *, run_id: str, experiment: str
) -> "CheckpointBuffer | None":
    """Return what keeps a tracker's states, if it is to keep any.

    Raises:
        TrackerError: If there is no model to keep, or no detector to tell when.

    >>> checkpoint_buffer(None, None, None, run_id="run", experiment="example") is None
    True
    """
    if checkpoints is None:
        return None
    if model is None or detector is None:
        raise TrackerError(
            "checkpoints keep the states of a model around what a detector reports, and this tracker has "
            f"no {'model' if model is None else 'detector'}; write Tracker(model, ..., detector=...)"
        )
    return checkpoints.buffer(model, run_id=run_id, experiment=experiment)


def _shown(value: object) -> str:
    if isinstance(value, str) and len(value) > _SHOWN_LENGTH:
        return f"{value[:_SHOWN_LENGTH]!r}... of {len(value)} characters"
    return repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
