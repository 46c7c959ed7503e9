"""A callback for the ``Trainer`` of Hugging Face transformers."""

from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor, nn
from torch.optim import Optimizer
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from grokscope.collectors.evaluating.model_evaluator import Data
from grokscope.collectors.exposure.exposure import asked_progress
from grokscope.collectors.integrations.own_keys import OwnKeys
from grokscope.collectors.integrations.trainer_batches import TrainerBatches
from grokscope.collectors.tracker import Tracker
from grokscope.collectors.warning import contained, warn
from grokscope.schemas.metrics.split_names import UnusableSplitError, split_name

# Chosen, not dumped: the arguments also hold tokens, paths and host names.
_CONFIG = (
    "learning_rate",
    "weight_decay",
    "lr_scheduler_type",
    "warmup_steps",
    "max_steps",
    "num_train_epochs",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "seed",
)
# Its count of tokens keeps its own name: the tracker has it too, at steps of its own.
_NAMES = {"loss": "train/batch_loss", "epoch": "progress/epochs"}
# The last thing that a training logs, and the only one with all its work: one mean over the whole run, which
# is no curve, and by its own name would be taken for that of the training loss.
_SUMMARY = "total_flos"
_SUMMARY_NAMES = {"train_loss": "trainer/mean_train_loss"}
_TIME = "_runtime"
# Under this name the run's id goes into the Trainer's checkpoints; no callback's class is called so.
_SAVED = "grokscope"


class GrokscopeCallback(TrainerCallback):
    """Tracks a ``Trainer``'s run: what it logs, and at due steps every measure of the model.

    Every value is that of ``trainer.state.log_history``, at its step: ``loss``, a mean over the steps since
    the last, as ``train/batch_loss``; what ``evaluate`` gives as ``val/...``, of several sets as
    ``shift:<name>/...``, of ``metric_key_prefix="test"`` as ``test/...``, or by its own name where ``splits``
    has that split; the mean loss of the whole training, told at its end, as ``trainer/mean_train_loss``; all
    else by its own name, or ``log/<name>`` where the tracker measures by it. What is evaluated before
    training is in the run that follows. Examples of all processes are counted, by the sizes that the
    Trainer's loader says of its batches; tokens where the Trainer does (``include_num_input_tokens_seen``).

    Args:
        splits: Split name -> data for ``Tracker.evaluate``; without any only what the Trainer logs is kept.
        experiment: MLflow experiment.
        config: Logged as params besides the Trainer's own learning rate, batch size and the like.
        tracking: Other options of ``Tracker``.

    A training that resumes from a checkpoint goes on in the run that the checkpoint came from. Turn off the
    Trainer's own MLflow callback (``report_to=[]``), or each run is there twice.

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
        asked = asked_progress(tracking.get("measuring"))
        self._names = {key: name for key, name in _NAMES.items() if name not in asked}
        self._experiment = experiment
        self._config = dict(config or {})
        self._tracking = tracking
        self._is_training = False
        self._earlier: list[tuple[int, dict[str, Any]]] = []
        self._claims: dict[str, str] = {}
        self._batches: TrainerBatches | None = None

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        model: nn.Module | None = None,
        optimizer: Optimizer | None = None,
        **more: Any,
    ) -> None:
        """Open the run, or go on with the checkpoint's."""
        if self.tracker is not None:
            self.tracker.close("FAILED")  # no callback is told of an error; after an end it does nothing
        saved: dict[str, Any] = cast("Any", state).stateful_callbacks
        resumed = dict(saved.get(_SAVED, {}).get("attributes", {}))
        seen = resumed.pop("exposure", None)
        self.tracker = Tracker(
            model,
            optimizer,
            experiment=self._experiment,
            config={name: getattr(args, name) for name in _CONFIG if hasattr(args, name)} | self._config,
            **resumed | self._tracking,
        )
        if seen is not None:
            with contained(warn, "what training has seen before is not known"):
                self.tracker.exposure.load_state_dict(seen)
        saved[_SAVED] = {"args": {}, "attributes": {"run_id": self.tracker.run_id}}
        self._batches = TrainerBatches(
            self.tracker.exposure, more.get("train_dataloader"), tokens=state.num_input_tokens_seen
        )
        self._is_training = True
        for step, values in [] if resumed else self._earlier:
            self.tracker.log(step, values)
        self._earlier = []

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **_: object,
    ) -> None:
        """Count the batch, and measure where it is due: a step is the optimizer's, after accumulation."""
        self._count(state)
        if self.tracker is not None and self._splits and self.tracker.due(state.global_step):
            self.tracker.evaluate(state.global_step, self._splits)

    def on_substep_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **_: object,
    ) -> None:
        """Count a batch that is a part of a step."""
        self._count(state, is_part=True)

    def on_epoch_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,
        **_: object,
    ) -> None:
        """Note that the data has ended."""
        if self._batches is not None:
            is_stopped = control.should_training_stop or control.should_epoch_stop
            is_out_of_data = state.global_step < state.max_steps and not is_stopped
            self._batches.end_epoch(is_out_of_data=is_out_of_data)

    def on_log(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        logs: Mapping[str, Any] | None = None,
        **_: object,
    ) -> None:
        """Keep what the Trainer logs; after training too, as by ``evaluate()``, and before it."""
        if not logs:
            return
        values = self._named(logs)
        if self.tracker is None:
            self._earlier.append((state.global_step, values))
            return
        if self._is_training:
            self.tracker.log(state.global_step, values)
            return
        where = {name: self._tracking[name] for name in ("store", "sink") if name in self._tracking}
        with Tracker(experiment=self._experiment, run_id=self.tracker.run_id, **where) as again:
            again.log(state.global_step, values)

    def on_train_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,  # noqa: ARG002
        control: TrainerControl,  # noqa: ARG002
        **_: object,
    ) -> None:
        """Close the run; after an error it closes as FAILED when another begins or the program ends."""
        self._is_training = False
        if self.tracker is not None:
            self.tracker.close()

    def _count(self, state: TrainerState, *, is_part: bool = False) -> None:
        if self._batches is not None and self._batches.count(state, is_part=is_part):
            saved: dict[str, Any] = cast("Any", state).stateful_callbacks
            saved[_SAVED]["attributes"]["exposure"] = self._batches.state_dict()

    def _named(self, logs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the numbers among ``logs`` by our names."""
        names = self._names | (_SUMMARY_NAMES if _SUMMARY in logs else {})
        numbers = {key: value for key, value in logs.items() if isinstance(value, int | float)}
        prefix = _prefix(logs)
        if prefix is not None and (split := self._claimed(prefix)) is not None:
            names |= {
                key: f"{split}/{key[len(prefix) + 1 :]}" for key in numbers if key.startswith(f"{prefix}_")
            }
        return {names.get(key) or self._own.named(key): value for key, value in numbers.items()}

    def _claimed(self, prefix: str) -> str | None:
        """Return the split that a set of the Trainer goes by, if no other set does: one name is one curve."""
        split = _split(prefix)
        is_free = split not in self._own.splits
        return split if is_free and self._claims.setdefault(split, prefix) == prefix else None


def causal(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Return sequences as a split of next-token predictions: all tokens but the last, all but the first.

    Args:
        tokens: ``[N, T]`` token ids.

    Source: definition. Cost: views.

    >>> import torch
    >>> [part.tolist() for part in causal(torch.tensor([[5, 6, 7]]))]
    [[[5, 6]], [[6, 7]]]
    """
    return tokens[:, :-1], tokens[:, 1:]


def _prefix(logs: Mapping[str, Any]) -> str | None:
    """Return what stands before all that was evaluated: ``Trainer.evaluate`` tells how long it took by it."""
    found = [key.removesuffix(_TIME) for key in logs if key.endswith(_TIME)]
    if len(found) == 1 and found[0] != "train":
        return found[0]
    return "eval" if any(key.startswith("eval_") for key in logs) else None


def _split(prefix: str) -> str:
    name = prefix.removeprefix("eval_")
    try:
        return split_name(name)
    except UnusableSplitError:
        return f"shift:{name}"
