"""A callback for Lightning's ``Trainer``."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import lightning.pytorch as pl
import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor

from grokscope.collectors.evaluating.costs.thinning import ThinnedSchedule
from grokscope.collectors.evaluating.model_evaluator import Data
from grokscope.collectors.evaluating.schedule import Schedule
from grokscope.collectors.exposure.exposure import asked_progress
from grokscope.collectors.integrations.own_keys import OwnKeys
from grokscope.collectors.recording.ranks import is_first_process
from grokscope.collectors.tracker import Tracker
from grokscope.collectors.warning import Warnings, contained, warn

_SAVED = "grokscope"
_LOSS = "train/batch_loss"


class GrokscopeCallback(pl.Callback):
    """Tracks a Lightning run: the loss of each step, what ``self.log`` holds, and at due steps every measure.

    A step is ``trainer.global_step``, which counts every step of every optimizer. ``train/batch_loss`` is the
    mean of the losses that ``training_step`` returned for that step, on the first process; what ``self.log``
    holds keeps Lightning's name for it and comes at every step (``on_step``), or once an epoch or validation,
    at its last step; where the tracker measures by that name itself, as of a split, it is ``log/<name>``.
    Batches are counted (``Tracker.seen``). The module's ``forward`` must return logits. Several optimizers
    are measured together, as by ``Tracker``; of a batch with several steps one that is due is measured, at
    the last of them. A training that resumes from a checkpoint goes on in the run that the checkpoint came
    from, and a second ``fit`` of one ``Trainer`` in the first's.

    Args:
        splits: Split name -> data for ``Tracker.evaluate``; without any only what is logged is kept.
        experiment: MLflow experiment.
        config: Logged as params; by default the module's own ``hparams``.
        tracking: Other options of ``Tracker``.

    >>> callback = GrokscopeCallback(experiment="example")
    >>> callback.tracker is None
    True
    """

    def __init__(
        self,
        splits: Mapping[str, Data] | None = None,
        *,
        experiment: str,
        config: Mapping[str, Any] | None = None,
        **tracking: Any,
    ) -> None:
        self.tracker: Tracker | None = None
        self._splits = dict(splits or {})
        self._own = OwnKeys(self._splits)
        self._own.add(*asked_progress(tracking.get("measuring")))
        self._experiment = experiment
        self._config = config
        self._tracking = tracking
        self._resumed: dict[str, Any] = {}
        self._last_step = 0
        self._has_stepped = False
        self._losses: list[Tensor] = []
        self._seen: dict[str, Tensor] = {}

    def on_save_checkpoint(
        self,
        trainer: pl.Trainer,  # noqa: ARG002 - the library's signature, here and below
        pl_module: pl.LightningModule,  # noqa: ARG002
        checkpoint: dict[str, Any],
    ) -> None:
        """Leave the run's id in the checkpoint, and what it has seen."""
        if self.tracker is not None:
            checkpoint[_SAVED] = self._state(self.tracker)

    def on_load_checkpoint(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,  # noqa: ARG002
        checkpoint: dict[str, Any],
    ) -> None:
        """Find the run's id in the checkpoint that training resumes from."""
        if trainer.state.fn == TrainerFn.FITTING:
            self._resumed = dict(checkpoint.get(_SAVED, {}))
            self._last_step = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the run, or go on with the checkpoint's."""
        own = cast("Mapping[str, Any]", pl_module.hparams)
        config = dict(own if self._config is None else self._config)
        if self.tracker is not None and 0 < self._last_step == trainer.global_step:
            self._resumed = self._state(self.tracker)
        seen = self._resumed.pop("exposure", None)
        options = self._resumed | self._tracking
        # Where a module has no optimizer, Lightning makes one up that holds nothing.
        optimizers = [one for one in trainer.optimizers if getattr(one, "param_groups", None) != []]
        self._joint = _JointSchedule(
            options.get("schedule"), optimizers=len(optimizers), step=trainer.global_step
        )
        if self._joint.is_needed:
            options["schedule"] = self._joint.is_due
        self.tracker = Tracker(
            pl_module, optimizers or None, experiment=self._experiment, config=config, **options
        )
        if seen is not None:
            with contained(warn, "what training has seen before is not known"):
                self.tracker.exposure.load_state_dict(seen)
        self._resumed, self._last_step, self._has_stepped = {}, trainer.global_step, False
        self._losses = []
        self._unseen(trainer)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Keep what the epoch before logged at its end, after every hook of it."""
        self._keep(trainer)

    def on_train_batch_start(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,  # noqa: ARG002
        batch: object,  # noqa: ARG002
        batch_idx: int,  # noqa: ARG002
    ) -> None:
        """Keep what the module logged in hooks after our own of the batch before, which was a step."""
        values = self._unseen(trainer)
        if self._has_stepped:
            self._log(trainer, values)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        batch: object,
        batch_idx: int,  # noqa: ARG002
    ) -> None:
        """Count the batch; at steps, not at parts of them, log what there is, and measure where it is due."""
        if self.tracker is not None:
            self.tracker.seen(batch)
            self._own.add(*self.tracker.exposure.counted())
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if isinstance(loss, Tensor):
            # Lightning has divided it, so that gradients add up to a mean; not where users step themselves.
            parts = trainer.accumulate_grad_batches if pl_module.automatic_optimization else 1
            self._losses.append(loss.detach() if parts == 1 else loss.detach().float() * parts)
            self._own.add(_LOSS)
        values = self._unseen(trainer)
        step = trainer.global_step
        self._has_stepped = step != self._last_step
        if self.tracker is None or not self._has_stepped:
            return
        self._last_step = step
        own = {_LOSS: _mean(self._losses)} if self._losses else {}
        self.tracker.log(step, self._own.apart(values) | own)  # where there are none, the step is still known
        self._losses = []
        due = [self.tracker.due(one) for one in self._joint.steps_until(step)] if self._splits else []
        if any(due):
            self._joint.read(step, self.tracker.evaluate(step, self._splits))
        self._joint.step = step

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Keep what the module logged of a validation while it is trained."""
        if _is_training(trainer):
            # Of a validation only what is over all its batches, not the last batch's own.
            self._keep(trainer, of=trainer.callback_metrics.__contains__)

    def on_exception(
        self,
        trainer: pl.Trainer,  # noqa: ARG002
        pl_module: pl.LightningModule,  # noqa: ARG002
        exception: BaseException,
    ) -> None:
        """Close the run as what ended it."""
        if self.tracker is not None:
            self.tracker.close("FAILED" if isinstance(exception, Exception) else "KILLED")

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Keep what the last epoch logged, and close the run."""
        self._keep(trainer)
        if trainer.global_step == 0 and trainer.num_training_batches and is_first_process():
            warn("no optimizer made a step that Lightning counts, so what was logged at steps is not kept")
        if self.tracker is not None:
            self.tracker.close()

    @staticmethod
    def _state(tracker: Tracker) -> dict[str, Any]:
        return {"run_id": tracker.run_id, "exposure": tracker.exposure.state_dict()}

    def _keep(self, trainer: pl.Trainer, *, of: Callable[[str], bool] = bool) -> None:
        self._log(trainer, {name: value for name, value in self._unseen(trainer).items() if of(name)})

    def _log(self, trainer: pl.Trainer, values: Mapping[str, Any]) -> None:
        if self.tracker is not None and values:
            self.tracker.log(trainer.global_step, self._own.apart(values))

    def _unseen(self, trainer: pl.Trainer) -> dict[str, Tensor]:
        """Return what was logged since this was called last.

        Lightning keeps a value until there is a new one, and does not say which is new: it is another tensor.
        """
        logged = cast("Mapping[str, Tensor]", trainer.logged_metrics)
        found = {name: value for name, value in logged.items() if not _is_same(value, self._seen.get(name))}
        self._seen |= found
        return found


class _JointSchedule:
    """Which steps are due where several optimizers make one together.

    Lightning counts a step of each of them; the tracker's recorder counts all of them as one. Here the steps
    that it counts since the last batch stand for as many of Lightning's as there are optimizers, so whichever
    of these is due, gradients are read in the batch that it is in.

    Args:
        given: The user's schedule; ``None`` for the tracker's default.
        optimizers: How many there are.
        step: Lightning's, from which the recorder counts.
    """

    def __init__(self, given: Schedule | None, *, optimizers: int, step: int) -> None:
        self.step = step
        self.is_needed = optimizers > 1 and (given is None or callable(given))
        self._width = max(1, optimizers)
        self._schedule = ThinnedSchedule(given, warn=Warnings(is_quiet=not is_first_process()).warn_once)

    def is_due(self, counted: int) -> bool:
        """Say whether one of those steps is due that ``counted`` stands for."""
        last = self.step + (counted - self.step) * self._width
        return bool(self._due(last - self._width, last))

    def steps_until(self, step: int) -> range:
        """Return the steps as the recorder counts them, of a batch that ends with Lightning's ``step``."""
        width = self._width if self.is_needed else 1
        return range(self.step + 1, self.step + 1 + -(-(step - self.step) // width))

    def read(self, step: int, values: Mapping[str, float]) -> None:
        """Take what a reading at the end of a batch gave: where readings cost much, fewer steps are due."""
        if self.is_needed and "collector/seconds" in values:
            due = self._due(self.step, step)
            self._schedule.read(due[-1] if due else step, spent=values["collector/seconds"])

    def _due(self, before: int, last: int) -> list[int]:
        return [step for step in range(before + 1, last + 1) if self._schedule.is_due(step)]


def _is_same(value: Tensor, seen: Tensor | None) -> bool:
    return seen is not None and value.data_ptr() == seen.data_ptr()


def _mean(losses: list[Tensor]) -> Tensor:
    """Return the mean of scalars on the device that they are on, without waiting for it."""
    return losses[0] if len(losses) == 1 else torch.stack([loss.float() for loss in losses]).mean()


def _is_training(trainer: pl.Trainer) -> bool:
    return trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking
