"""States of a model on disk: the last few always, and for good those around an event."""

import os
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from safetensors import SafetensorError, safe_open
from safetensors.torch import (
    load_model,  # pyright: ignore[reportUnknownVariableType] - PathLike lacks its parameter there
    save_model,
)
from torch import nn

from grokscope.collectors.evaluating.preserved_state import plain_module
from grokscope.schemas import GrokscopeError
from grokscope.schemas.files.replacing import Synced, remove_unfinished, replacing

_NAME = re.compile(r"step-(\d{12,})\.safetensors")


class CheckpointError(GrokscopeError):
    """A checkpoint that cannot be read, or a folder that holds none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One saved state.

    Attributes:
        path: The safetensors file: parameters and buffers.
        step: Optimizer step.
        run_id: ``tracker.run_id`` of the run that it belongs to.
        experiment: MLflow experiment of that run.
    """

    path: Path
    step: int
    run_id: str
    experiment: str

    def load_into(self, model: nn.Module) -> None:
        """Put the state into ``model``.

        Raises:
            CheckpointError: If the model has other parameters or buffers.
        """
        try:
            load_model(plain_module(model), self.path)
        except (RuntimeError, SafetensorError, OSError) as error:
            raise CheckpointError(
                f"{self.path} does not fit {type(model).__name__} ({_first_line(error)}); build the model as "
                "it was built for training"
            ) from error


class Checkpoints:
    """A buffer of recent states, so that the one *before* an event can still be had once it is seen.

    Handed to a tracker together with a detector. Each evaluation saves parameters and buffers as
    ``<folder>/<run_id>/step-<step>.safetensors``; the oldest beyond ``last`` is deleted. When the detector
    reports an event, what the buffer holds is kept for good, as is what follows while the event is suspected.
    The state of step 0 is always kept: distances are measured from it.

    Args:
        folder: Made if need be; files are readable by their owner alone.
        last: States in the buffer.
        most: States kept for good around events, so that a run cannot fill the disk.

    Raises:
        ValueError: If ``last`` or ``most`` is less than 1.

    Cost: one copy of the model to the host and one file an evaluation, timed as
    ``collector/seconds/checkpoints``.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     buffer = Checkpoints(folder, last=2).buffer(nn.Linear(2, 1), run_id="run", experiment="example")
    ...     for step in range(4):
    ...         buffer.save(step)
    ...     [checkpoint.step for checkpoint in saved(Path(folder) / "run")]
    [0, 2, 3]
    """

    def __init__(self, folder: str | Path, *, last: int = 8, most: int = 64) -> None:
        if last < 1 or most < 1:
            raise ValueError(f"last and most are numbers of states, at least 1, got {last} and {most}")
        self._folder = Path(folder)
        self._last, self._most = last, most

    def buffer(self, model: nn.Module, *, run_id: str, experiment: str) -> "CheckpointBuffer":
        """Return the buffer of one run; a tracker calls this."""
        about = {"run_id": run_id, "experiment": experiment, "format": "pt"}
        return CheckpointBuffer(model, self._folder / run_id, about, last=self._last, most=self._most)


class CheckpointBuffer:
    """The states of one run's model; made by ``Checkpoints.buffer``."""

    def __init__(
        self, model: nn.Module, folder: Path, about: Mapping[str, str], *, last: int, most: int
    ) -> None:
        self._model = plain_module(model)
        self._folder = folder
        self._about = about
        self._last, self._most = last, most
        self._recent: deque[Path] = deque()
        self._kept = 0
        remove_unfinished(folder, "step-")

    def save(self, step: int) -> None:
        """Save a state into the buffer, and delete the one that falls out of it; step 0 is kept apart.

        Raises:
            OSError: If the disk refuses; the buffer is as before.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"step-{step:012d}.safetensors"
        try:
            # Training does not wait for the disk: after a power failure, an older state has to do.
            with replacing(path, synced=Synced.NOTHING) as unfinished:
                save_model(self._model, str(unfinished), metadata={**self._about, "step": str(step)})
        except SafetensorError as error:
            raise OSError(_first_line(error)) from error
        if step != 0 and path not in self._recent:
            self._recent.append(path)
        while len(self._recent) > self._last:
            self._recent.popleft().unlink(missing_ok=True)

    def keep(self) -> None:
        """Keep for good what the buffer holds, the newest first as far as ``most`` goes."""
        while self._recent and self._kept < self._most:
            self._recent.pop()
            self._kept += 1


def saved(folder: str | Path) -> tuple[Checkpoint, ...]:
    """Return the checkpoints in a run's folder, in order of step.

    Raises:
        CheckpointError: If there is none, or one cannot be read.
    """
    found = sorted((int(match[1]), path) for path, match in _matches(Path(folder)))
    if not found:
        raise CheckpointError(
            f"{folder} holds no checkpoints; give the folder of one run, which a tracker with "
            "checkpoints=Checkpoints(...) fills with step-<step>.safetensors"
        )
    return tuple(_described(path, step) for step, path in found)


def _matches(folder: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    if folder.is_dir():
        for name in os.listdir(folder):  # noqa: PTH208 - names alone, of possibly many files
            if match := _NAME.fullmatch(name):
                yield folder / name, match


def _described(path: Path, step: int) -> Checkpoint:
    try:
        with safe_open(path, framework="pt") as file:  # pyright: ignore[reportUnknownVariableType] - untyped
            metadata = cast("dict[str, str]", file.metadata() or {})  # pyright: ignore[reportUnknownMemberType]
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} is no whole safetensors file ({_first_line(error)}); delete it, or save it anew"
        ) from error
    return Checkpoint(
        path=path,
        step=step,
        run_id=metadata.get("run_id", ""),
        experiment=metadata.get("experiment", ""),
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
