"""The tensors of a model as they were, and putting them back after a forward pass that wrote into them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

import torch
from torch import Tensor, nn

from grokscope.collectors.tensors.shards import is_sharded, reshard
from grokscope.collectors.tensors.torch_stubs import tables_of, version_of

_WORDS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class WrittenParameters:
    """Which parameters a model's forward pass has been seen to write.

    Copying all parameters at every look would cost memory and time for what hardly any model does. So the
    first look copies all and learns which ones are written; later looks copy those alone. One that is first
    written later shows by its version, too late to be put back: it is said, and copied from then on.

    Args:
        warn: Takes a sentence about what could not be put back.

    >>> WrittenParameters(warn=print).copied is None
    True
    """

    def __init__(self, *, warn: Callable[[str], None]) -> None:
        self.copied: set[str] | None = None
        self._warn = warn

    def learn(self, restored: set[str], lost: set[str]) -> None:
        """Take what a look has found: parameters put back, and those that could not be."""
        if lost:
            self._warn(
                f"the forward pass wrote into {', '.join(sorted(lost)[:5])} while it was measured, and what "
                "was there is gone; from the next evaluation on it is put back"
            )
        self.copied = (self.copied or set()) | restored | lost


class SavedTensors:
    """The parameters and buffers of a model, to be put back as they are now.

    Buffers are compared by value, for some kernels (``F.batch_norm``) write them unseen; parameters as far as
    ``written`` tells. Which tensors a module holds and ``requires_grad`` come back too. Where parameters are
    sharded, the wrapper that shards them exchanges and writes them itself: they are left to it.

    Args:
        model: Any module.
        written: By its forward pass; without it only parameters that torch itself writes while reading
            (``Embedding(max_norm=...)``) are copied.

    Source: definition. Cost: a copy of the buffers and of the parameters known to be written.

    >>> model = nn.BatchNorm1d(2)
    >>> saved = SavedTensors(model)
    >>> _ = model.running_mean.fill_(1.0)
    >>> saved.restore()
    >>> model.running_mean
    tensor([0., 0.])
    """

    def __init__(self, model: nn.Module, written: WrittenParameters | None = None) -> None:
        self._written = written
        self._is_learning = written is not None and written.copied is None
        self._is_whole = not is_sharded(model)
        self._model = model
        self._restored: set[str] = set()
        self._lost: set[str] = set()
        modules = [*model.modules()]
        both = [tables_of(module) for module in modules]
        tables = [table for pair in both for table in (pair if self._is_whole else pair[1:])]
        self._tables = [(table, dict(table)) for table in tables]
        parameters = [*model.named_parameters()] if self._is_whole else []
        self._flags = [(parameter, parameter.requires_grad) for _, parameter in parameters]
        self._parameters = [(name, p, version_of(p)) for name, p in parameters if not p.is_inference()]
        self._buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers() if _is_dense(buffer)]
        renormed = {id(weight) for weight in _renormed(modules)}
        wanted = set[str]() if written is None else written.copied
        self._copies: dict[str, Tensor] = {}
        for name, parameter, _ in self._parameters:
            if (wanted is None or name in wanted or id(parameter) in renormed) and _is_dense(parameter):
                self._copies[name] = parameter.detach().clone()

    def restore(self) -> None:
        """Put everything back; twice does no harm."""
        if not self._is_whole:
            reshard(self._model)
        for table, before in self._tables:
            if _identities(table) != _identities(before):
                table.clear()
                table.update(before)
        for buffer, copy in self._buffers:
            _put_back(buffer, copy)
        for name, parameter, version in self._parameters:
            copy = self._copies.get(name)
            if copy is not None and _put_back(parameter, copy, is_compared=self._is_learning):
                self._restored.add(name)
            elif copy is None and version_of(parameter) != version:
                self._lost.add(name)
        for parameter, flag in self._flags:
            if parameter.requires_grad != flag:
                parameter.requires_grad_(flag)

    def report(self) -> None:
        """Tell what was found, for later looks."""
        if self._written is not None:
            self._written.learn(self._restored, self._lost)


def _identities(table: Mapping[str, Tensor | None]) -> list[object]:
    return [*table, *map(id, table.values())]


def _put_back(tensor: Tensor, copy: Tensor, *, is_compared: bool = False) -> bool:
    """Write ``copy`` back where it differs; say whether it did.

    Comparing waits for an accelerator: there it is written back unseen, unless somebody must know. It is
    written through ``data``: a graph that waits for its backward pass must not see a new version.
    """
    is_seen = is_compared or tensor.device.type == "cpu"
    if tensor.shape != copy.shape or (is_seen and _is_same(tensor, copy)):
        return False
    tensor.data.copy_(copy)
    return True


def _is_same(one: Tensor, other: Tensor) -> bool:
    """Say whether two tensors are alike, NaN like NaN of the same bits."""
    if torch.equal(one, other):
        return True
    word = _WORDS.get(one.element_size())
    if word is None or one.is_quantized:
        return False
    return torch.equal(one.detach().view(word), other.view(word))


def _is_dense(tensor: Tensor) -> bool:
    """Say whether each element has a place of its own: one that shares them cannot be written back."""
    if tensor.layout != torch.strided or tensor.is_inference() or tensor.is_meta:
        return False
    pairs = zip(tensor.shape, tensor.stride(), strict=True)
    return tensor.is_contiguous() or all(stride or size in {0, 1} for size, stride in pairs)


def _renormed(modules: Iterable[nn.Module]) -> Iterator[Tensor]:
    for module in modules:
        if isinstance(module, nn.Embedding | nn.EmbeddingBag) and cast("object", module.max_norm) is not None:
            yield module.weight
