"""One forward pass over the first samples of a split, for what the evaluation's own pass did not keep."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from grokscope.collectors.evaluating.batches import batches, parts_of
from grokscope.collectors.evaluating.preserved_state import device_of
from grokscope.collectors.measures.instrument import StepContext
from grokscope.collectors.tensors.shards import whole

Hook = Callable[[nn.Module, object, object], None]


def first_inputs(context: StepContext, *, split: str, samples: int) -> tuple[Tensor, ...] | None:
    """Return the first inputs of a split on the model's device, or ``None`` if the split is not there.

    >>> import torch
    >>> splits = {"test": (torch.zeros(9, 2), torch.zeros(9).long())}
    >>> context = StepContext(step=0, model=nn.ReLU(), splits=splits)
    >>> [part.shape for part in first_inputs(context, split="test", samples=4)]
    [torch.Size([4, 2])]
    """
    if split not in context.splits:
        return None
    inputs, _ = next(batches(context.splits[split], batch_size=samples))
    return tuple(part[:samples].to(device_of(context.model)) for part in parts_of(inputs))


def outputs_of(context: StepContext, layers: Sequence[str], *, split: str, samples: int) -> dict[str, Tensor]:
    """Return what the named layers give for the first samples of a split.

    Raises:
        ValueError: If the model has no such layer.

    >>> import torch
    >>> splits = {"test": (torch.zeros(9, 2), torch.zeros(9).long())}
    >>> context = StepContext(step=0, model=nn.Sequential(nn.Linear(2, 3)), splits=splits)
    >>> outputs_of(context, ["0"], split="test", samples=4)["0"].shape
    torch.Size([4, 3])
    """
    inputs = first_inputs(context, split=split, samples=samples) if layers else None
    if inputs is None:
        return {}
    modules = dict(cast("Iterator[tuple[str, nn.Module]]", context.model.named_modules()))
    unknown = [name for name in layers if name not in modules]
    if unknown:
        raise ValueError(
            f"{unknown[0]!r} is no submodule of {type(context.model).__name__}; see named_modules()"
        )
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Hook:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor):
                found[name] = output

        return hook

    with hooked([(modules[name], keep(name)) for name in layers]):
        context.model(*inputs)
    return found


def last_linear(model: nn.Module, shape: Sequence[int]) -> Tensor | None:
    """Return the weight of a model's last ``nn.Linear`` with a weight of this shape; ``None`` if it has none.

    >>> last_linear(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2)), (2, 3)).shape
    torch.Size([2, 3])
    """
    found = [m.weight for m in model.modules() if isinstance(m, nn.Linear) and m.weight.shape == tuple(shape)]
    return whole(found[-1]) if found else None


def features_of(context: StepContext) -> dict[str, Tensor]:
    """Return the representation of each split, of those where the pass found one.

    Source: definition. Cost: none.

    >>> features_of(StepContext(step=0, model=nn.ReLU()))
    {}
    """
    return {split: p.features.detach() for split, p in context.passes.items() if p.features is not None}


def spread(features: Tensor, most: int) -> Tensor:
    """Return at most so many rows, evenly spread over all of them.

    Source: definition. Cost: a view.

    >>> import torch
    >>> spread(torch.arange(5), 2).tolist()
    [0, 3]
    """
    return features[:: -(-len(features) // most)]


@contextmanager
def hooked(hooks: Sequence[tuple[nn.Module, Hook]]) -> Generator[None]:
    """Listen to what modules return until the block ends.

    >>> model = nn.ReLU()
    >>> with hooked([(model, lambda module, inputs, output: None)]):
    ...     len(model._forward_hooks)
    1
    >>> len(model._forward_hooks)
    0
    """
    handles: list[RemovableHandle] = []
    try:
        handles.extend(module.register_forward_hook(hook) for module, hook in hooks)
        yield
    finally:
        for handle in handles:
            handle.remove()
