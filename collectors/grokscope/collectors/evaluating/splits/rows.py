"""One batch that the model was run on, a row a target."""

from dataclasses import dataclass, replace

from torch import Tensor

from grokscope.collectors.evaluating.splits.targets.objectives import Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One batch, a row a target; where a loss of the user's takes targets of no known kind, no rows.

    Attributes:
        logits: ``[n, C]``.
        targets: ``[n]`` class indices, else ``[n, C]``.
        features: ``[n, d]``, if one was found.
        examples: The example of each row and how many there are, where an example has several class targets.
        objective: What the targets are; ``None`` where outputs do not lie to them in any known way.
        loss: The user's loss of the batch, and how many examples it stands for.
    """

    logits: Tensor
    targets: Tensor
    features: Tensor | None = None
    examples: tuple[Tensor, int] | None = None
    objective: Objective | None = None
    loss: tuple[Tensor, int] | None = None

    def only(self, kept: Tensor | None) -> "Rows":
        """Return the rows that count; all of them for ``None``.

        >>> import torch
        >>> Rows(logits=torch.eye(2), targets=torch.arange(2)).only(torch.tensor([False, True])).targets
        tensor([1])
        """
        if kept is None:
            return self
        return replace(
            self,
            logits=self.logits[kept],
            targets=self.targets[kept],
            features=None if self.features is None else self.features[kept],
            examples=None if self.examples is None else (self.examples[0][kept], self.examples[1]),
        )
