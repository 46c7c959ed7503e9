"""A callback for ``Model.fit`` of Keras 3."""

from collections.abc import Mapping
from typing import Any, cast

import keras
from torch import nn

from grokscope.collectors.evaluating.model_evaluator import Data
from grokscope.collectors.exposure.exposure import asked_progress
from grokscope.collectors.integrations.own_keys import OwnKeys
from grokscope.collectors.tracker import Tracker

_VAL = "val_"
_EPOCHS = "progress/epochs"


class GrokscopeCallback(keras.callbacks.Callback):
    """Tracks a ``fit``: the loss of each step, what Keras says of each epoch, and at due steps measures.

    A step is one of the optimizer, after accumulation. Keras's own logs of a batch are means since the epoch
    began; ``train/batch_loss`` is the loss of the step's batches alone. At an epoch's last step its means are
    logged as ``train/epoch_loss``, ``train/epoch_accuracy`` and so on, and ``val_accuracy`` as
    ``val/accuracy``, or by its own name where ``splits`` has that split. A second ``fit`` of one model with
    one callback goes on in the run of the first.

    Args:
        splits: Split name -> data for ``Tracker.evaluate``, of torch tensors; without any only what Keras
            logs is kept. Measures need Keras on torch (``KERAS_BACKEND=torch``) and a model that gives
            logits; those of gradients and updates need an optimizer of torch, which Keras does not use.
        experiment: MLflow experiment.
        config: Logged as params besides the optimizer's own settings.
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
        super().__init__()
        self.tracker: Tracker | None = None
        self._splits = dict(splits or {})
        self._own = OwnKeys(self._splits)
        self._own.add(*asked_progress(tracking.get("measuring")))
        self._experiment = experiment
        self._config = dict(config or {})
        self._tracking = tracking
        self._batches = 0
        self._epoch_begin = 0
        self._last_step = 0
        self._loss = _StepLoss()

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002 - Keras's signature
        """Open the run, or go on with that of this callback's training before."""
        model = cast("Any", self.model)
        again: dict[str, Any] = {}
        seen: dict[str, Any] | None = None
        if self.tracker is not None and 0 < self._last_step == int(model.optimizer.iterations):
            again, seen = {"run_id": self.tracker.run_id}, self.tracker.exposure.state_dict()
        self.close("FAILED")  # a fit that failed tells no callback; one that ended is closed already
        is_torch = isinstance(model, nn.Module)
        self.tracker = Tracker(
            model if is_torch else None,
            experiment=self._experiment,
            config=_settings(model) | self._config,
            **again | self._tracking,
        )
        if seen is not None:
            self.tracker.exposure.load_state_dict(seen)
        self._batches = -1
        self._loss = _StepLoss()

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Count from what the optimizer has done: other callbacks may have restored it."""
        if self._batches < 0:
            optimizer = cast("Any", self.model).optimizer
            self._last_step = int(optimizer.iterations)
            self._batches = self._last_step * _parts(self.model)
        self._epoch_begin = self._batches
        self._loss.begin_epoch()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Log the loss of a step, and measure where it is due."""
        self._batches = self._epoch_begin + batch + 1
        self._loss.take(self.model)
        step = self._batches // _parts(self.model)
        if self.tracker is None or step == self._last_step:
            return
        self._last_step = step
        examples = self._loss.examples()
        if (loss := self._loss.mean()) is not None:
            self.tracker.seen(examples=examples)
            self.tracker.log(step, {"train/batch_loss": loss})
        if self._splits and isinstance(self.model, nn.Module) and self.tracker.due(step):
            self.tracker.evaluate(step, self._splits)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Keep what Keras says of the epoch, at its last step."""
        if self.tracker is not None:
            values = {self._named(name): value for name, value in (logs or {}).items()}
            if not self._own.is_own(_EPOCHS):
                values |= {_EPOCHS: epoch + 1}
            self.tracker.log(self._last_step, values)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """Close the run; after an error it closes as FAILED when another begins or the program ends."""
        self.close()

    def close(self, status: str = "FINISHED") -> None:
        """Close the run, for a training that was broken off."""
        if self.tracker is not None:
            self.tracker.close(status)

    def _named(self, name: str) -> str:
        if name.startswith(_VAL):
            return name if "val" in self._own.splits else f"val/{name.removeprefix(_VAL)}"
        return name if name in {"learning_rate", "lr"} else f"train/epoch_{name}"


class _StepLoss:
    """The mean loss of the batches of a step, from the mean over the epoch so far that Keras keeps.

    That mean is a sum over samples and their count: what both grow by is the batch's. The sum is of 32 bits,
    and what it grows by is rounded as it is.
    """

    def __init__(self) -> None:
        self.begin_epoch()
        self._own_total: Any = 0.0
        self._own_count: Any = 0.0

    def begin_epoch(self) -> None:
        """Note that Keras begins its mean anew; the step may go on."""
        self._total: Any = 0.0
        self._count: Any = 0.0

    def take(self, model: Any) -> None:
        """Add the batch that has ended; Keras on JAX keeps no such mean in training."""
        means = [one for one in model.metrics if isinstance(one, keras.metrics.Mean) and one.name == "loss"]
        if not means or keras.backend.backend() == "jax":
            return
        total = cast("Any", keras.ops.copy(means[0].total))
        count = cast("Any", keras.ops.copy(means[0].count))
        self._own_total += total - self._total
        self._own_count += count - self._count
        self._total, self._count = total, count

    def examples(self) -> Any:
        """Return how many examples the step's batches held: Keras weighs each batch by them."""
        return self._own_count

    def mean(self) -> Any:
        """Return the step's mean as a scalar on its device, if there is one, and begin the next step."""
        total, count = self._own_total, self._own_count
        self._own_total = self._own_count = 0.0
        return None if isinstance(count, float) else total / count


def _parts(model: Any) -> int:
    return getattr(model.optimizer, "gradient_accumulation_steps", None) or 1


def _settings(model: Any) -> dict[str, Any]:
    optimizer = model.optimizer
    found = {
        "optimizer": optimizer.name,
        "learning_rate": float(f"{float(optimizer.learning_rate):.7g}"),  # 0.1, which it keeps in 32 bits
        "weight_decay": optimizer.weight_decay,
        "gradient_accumulation_steps": optimizer.gradient_accumulation_steps,
    }
    return {name: value for name, value in found.items() if value is not None}
