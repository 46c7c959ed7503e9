"""A callback for Lightning's ``Trainer``."""

from collections.abc import Mapping
from typing import Any, cast

import lightning.pytorch as pl
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor

from grokscope.collectors.evaluating.model_evaluator import Data
from grokscope.collectors.tracker import Tracker

_SAVED = "grokscope"


class GrokscopeCallback(pl.Callback):
    """Tracks a Lightning run: the loss of each step, what ``self.log`` holds, and at due steps every measure.

    The module's ``forward`` must return logits. A training that resumes from a checkpoint goes on in the run
    that the checkpoint came from.

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
        self._experiment = experiment
        self._config = config
        self._tracking = tracking
        self._last_step = 0
        self._resumed: dict[str, Any] = {}

    def on_save_checkpoint(
        self,
        trainer: pl.Trainer,  # noqa: ARG002 - the library's signature, here and below
        pl_module: pl.LightningModule,  # noqa: ARG002
        checkpoint: dict[str, Any],
    ) -> None:
        """Leave the run's id in the checkpoint."""
        if self.tracker is not None:
            checkpoint[_SAVED] = {"run_id": self.tracker.run_id}

    def on_load_checkpoint(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,  # noqa: ARG002
        checkpoint: dict[str, Any],
    ) -> None:
        """Find the run's id in the checkpoint that training resumes from."""
        if trainer.state.fn == TrainerFn.FITTING:
            self._resumed = checkpoint.get(_SAVED, {})

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the run, or go on with the checkpoint's."""
        own = cast("Mapping[str, Any]", pl_module.hparams)
        config = dict(own if self._config is None else self._config)
        optimizer = trainer.optimizers[0] if trainer.optimizers else None
        self._last_step = trainer.global_step
        options = self._resumed | self._tracking
        self.tracker = Tracker(pl_module, optimizer, experiment=self._experiment, config=config, **options)
        self._resumed = {}

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,  # noqa: ARG002
        outputs: Tensor | Mapping[str, Any] | None,
        batch: object,  # noqa: ARG002
        batch_idx: int,  # noqa: ARG002
    ) -> None:
        """Log the loss, and measure where it is due; a step is one of the optimizer, after accumulation."""
        step = trainer.global_step
        if self.tracker is None or step == self._last_step:
            return
        self._last_step = step
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if isinstance(loss, Tensor):
            self.tracker.log(step, {"train/batch_loss": loss})
        if self._splits and self.tracker.due(step):
            self.tracker.evaluate(step, self._splits)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Keep what the module logged with ``self.log`` while it is trained."""
        if self.tracker is not None and _is_training(trainer):
            self.tracker.log(trainer.global_step, trainer.callback_metrics)

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
        """Close the run."""
        if self.tracker is not None:
            self.tracker.close()


def _is_training(trainer: pl.Trainer) -> bool:
    return trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking
