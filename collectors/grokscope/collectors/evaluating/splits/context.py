"""What instruments may look at of splits that were read."""

from collections.abc import Mapping
from typing import Any

from grokscope.collectors.evaluating.forward_pass import Pass
from grokscope.collectors.evaluating.splits.opened import OpenSplit
from grokscope.collectors.evaluating.splits.output_reader import OutputReader
from grokscope.collectors.measures.instrument import StepContext


def context_of(
    opened: Mapping[str, OpenSplit], passes: Mapping[str, Pass], reader: OutputReader, **rest: Any
) -> StepContext:
    """Return the context of a step, its splits as measures take them that run the model themselves.

    Args:
        opened: The splits, read to the end.
        passes: What reading them gave.
        reader: Of the model and these splits.
        rest: The context's other parts.

    >>> from torch import nn
    >>> from grokscope.collectors.evaluating.measuring import Measuring
    >>> model = nn.ReLU()
    >>> context_of({}, {}, OutputReader(model, Measuring(), say=print), step=3, model=model).step
    3
    """
    objectives = {split: seen.objective for split, seen in passes.items()}
    return StepContext(
        splits={split: one.as_read() for split, one in opened.items()},
        passes={s: p for s, p in passes.items() if (own := objectives[s]) and own.kind.has_classes},
        logits_of={split: reader.logits_of(split) for split in passes},
        criteria={s: one.criterion for s, one in objectives.items() if one is not None and not one.is_plain},
        **rest,
    )
