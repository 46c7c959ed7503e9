"""The samples that a costly measure looks at: the first ones of a split, the same every time."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from grokscope.collectors.evaluating.batches import batches, parts_of
from grokscope.collectors.evaluating.preserved_state import device_of
from grokscope.collectors.measures.instrument import StepContext
from grokscope.collectors.tensors.functional import (
    Criterion,
    Loss,
    Predict,
    loss_of,
    predictor,
    target_rows,
    trained,
)
from grokscope.collectors.tensors.predictions import logits_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """Which samples, and what training minimises on them.

    Attributes:
        split: Name of the split that is read; an instrument whose split is not there measures nothing.
        samples: How many targets, from the start of the split; of sequences as many as hold so many, at
            least one. Of a loader the first batch at most: let it not shuffle, or values differ by more
            than the step.
        criterion: From logits ``[N, C]`` and targets ``[N]`` to the loss; the cross-entropy gives way to what
            ``Measuring(loss=...)`` says, or the targets do.
    """

    split: str = "train"
    samples: int = 512
    criterion: Criterion = cross_entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A subset as the model meets it at a step.

    Attributes:
        inputs: The model's arguments, on its device.
        targets: The same.
        predict: Logits as a function of the trained parameters.
        criterion: What training minimises.
        loss: The criterion on them.
        names: Of the trained parameters.
        parameters: Their values.
    """

    inputs: tuple[Tensor, ...]
    targets: Tensor
    predict: Predict
    criterion: Criterion
    loss: Loss
    names: list[str]
    parameters: list[Tensor]


def take(context: StepContext, subset: Subset) -> Taken | None:
    """Return the subset at this step, or ``None`` if its split is not there or nothing is trained.

    >>> model = torch.nn.Linear(2, 3)
    >>> data = (torch.zeros(9, 2), torch.zeros(9).long())
    >>> context = StepContext(step=0, model=model, splits={"train": data})
    >>> found = take(context, Subset(samples=4))
    >>> found.targets.shape, found.names, take(context, Subset(split="test"))
    (torch.Size([4]), ['weight', 'bias'], None)
    """
    parameters = trained(context.model)
    if subset.split not in context.splits or not parameters:
        return None
    inputs, targets = next(batches(context.splits[subset.split], batch_size=subset.samples))
    examples = max(1, subset.samples // targets[0].numel())
    device = device_of(context.model)
    targets = targets[:examples].to(device)
    inputs = tuple(part[:examples].to(device) for part in parts_of(inputs))
    logits = context.logits_of.get(subset.split, logits_of)
    predict = predictor(context.model, inputs, logits=logits)
    criterion = subset.criterion
    if criterion is cross_entropy:
        criterion = context.criteria.get(subset.split, cross_entropy)
    return Taken(
        inputs=inputs,
        targets=targets,
        predict=predict,
        criterion=criterion,
        loss=loss_of(predict, targets, criterion=criterion),
        names=list(parameters),
        parameters=list(parameters.values()),
    )


def halves(taken: Taken) -> tuple[Loss, Loss]:
    """Return the losses of every other sample, and of the samples between them.

    >>> model = torch.nn.Linear(1, 2)
    >>> split = {"train": (torch.zeros(3, 1), torch.zeros(3).long())}
    >>> first, second = halves(take(StepContext(step=0, model=model, splits=split), Subset()))
    >>> bool(first(list(model.parameters())) == second(list(model.parameters())))
    True
    """

    def half(start: int) -> Loss:
        # Logits are a row a target, also where a sample has several.
        return lambda parameters: taken.criterion(
            taken.predict(parameters)[start::2], target_rows(taken.targets)[start::2]
        )

    return half(0), half(1)


def fixed(context: StepContext, seed: int) -> torch.Generator:
    """Return a generator on the model's device in the same state at every step.

    What is drawn from it does not differ between steps, so that a curve moves because the model does.

    >>> context = StepContext(step=0, model=torch.nn.ReLU())
    >>> fixed(context, 1).initial_seed()
    1
    """
    return torch.Generator(device_of(context.model)).manual_seed(seed)
