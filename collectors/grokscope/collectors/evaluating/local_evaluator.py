"""What one process measures of a model: all of it in the first, a part in each where it is sharded."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from grokscope.collectors.failures import Failures
from grokscope.collectors.recording.open_run import OpenRun
from grokscope.collectors.recording.ranks import is_first_process
from grokscope.collectors.recording.run_ids import TrackerError
from grokscope.collectors.warning import contained

if TYPE_CHECKING:
    from torch import nn

    from grokscope.collectors.evaluating.model_evaluator import ModelEvaluator


class LocalEvaluator:
    """The evaluator of a model in this process, as long as it takes part in measuring.

    Args:
        model: Measured; ``None`` measures nothing.
        optimizer: What can be watched of its optimizers.
        warn: Takes a sentence of what is not measured.
        options: Those of ``ModelEvaluator``.

    Attributes:
        failures: What of evaluations has failed.

    >>> LocalEvaluator(None, None, warn=print).failures.told()
    ''
    """

    def __init__(
        self, model: "nn.Module | None", optimizer: Any, *, warn: Callable[[str], None], **options: Any
    ) -> None:
        self._model = model
        self._warn = warn
        self.failures = Failures(warn)
        self._is_sharded = _has_shards(model)
        self._evaluator = None
        if model is not None and (is_first_process() or self._is_sharded):
            self._evaluator = _evaluator(model, optimizer, warn=warn, failures=self.failures, **options)

    def of_run(self, run: OpenRun) -> "ModelEvaluator | None":
        """Return what measures in this process now, ``None`` where that is another one's part.

        Args:
            run: Knows whether this process has turned out to be the first.

        Raises:
            TrackerError: If there is no model.
        """
        if self._model is None:
            raise TrackerError(
                "evaluate needs a model, and this tracker has none; write Tracker(model, optimizer, ...), "
                "or measure yourself and call log"
            )
        if self._evaluator is None or not run.is_mine():
            return None
        if not run.is_first and not self._is_sharded:
            self.unhook()
            self._evaluator = None
            return None
        if _has_shards(self._model) != self._is_sharded:
            self._warn(
                "the model was sharded after its tracker was made, so nothing is measured: all processes "
                "would have to take part. Make the tracker after fully_shard"
            )
            return None
        return self._evaluator

    def unhook(self) -> None:
        """Take the hooks off the optimizer; its steps are no longer measured."""
        if self._evaluator is not None:
            with contained(self._warn, "the optimizer is still watched"):
                self._evaluator.close()


def _evaluator(model: "nn.Module", optimizer: Any, **options: Any) -> "ModelEvaluator":
    from grokscope.collectors.evaluating.model_evaluator import ModelEvaluator  # noqa: PLC0415 - torch is optional

    return ModelEvaluator(model, optimizer, **options)


def _has_shards(model: "nn.Module | None") -> bool:
    if model is None:
        return False
    from grokscope.collectors.tensors.shards import is_sharded  # noqa: PLC0415 - torch is optional

    return is_sharded(model)
