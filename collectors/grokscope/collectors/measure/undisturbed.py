"""Looking at a model in training without leaving a trace."""

import random
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn

from grokscope.collectors.measure.untyped import fork_rng, version_of


@contextmanager
def undisturbed(model: nn.Module, *data: object) -> Generator[None]:
    """Put the model into evaluation mode without gradients, and on leaving put everything back.

    What comes back: the mode of every submodule (also where a parent's mode differs), buffers, weights that
    ``Embedding(max_norm=...)`` rewrites while reading, the random state of Python, NumPy and torch on the
    model's device, and the generators of a ``DataLoader`` in ``data`` with its sampler. A forward pass that
    writes into other parameters, or a loader with persistent workers that training is iterating over, is not
    caught. Modes are set flag by flag: an overridden ``train`` may do more than set a mode.

    Args:
        model: Any module; a parameter or buffer tells its device.
        data: All that will be read inside; only loaders' own generators matter.

    Source: definition. Cost: a copy of the buffers, some 0.1 ms of random states.

    >>> model = nn.Dropout()
    >>> with undisturbed(model):
    ...     model.training, torch.is_grad_enabled()
    (False, False)
    >>> model.training
    True
    """
    with _same_random_state(device_of(model)), _same_generators(data), _same_modes(model), torch.no_grad():
        written = [(m, name, t, t.detach().clone(), version_of(t)) for m, name, t in _written(model)]
        try:
            for module in model.modules():
                module.training = False
            yield
        finally:
            for module, name, tensor, copy, version in written:
                if version_of(tensor) != version:
                    tensor.copy_(copy)
                if getattr(module, name) is not tensor:
                    setattr(module, name, tensor)
            if torch.is_autocast_enabled(device_of(model).type):
                # Up to torch 2.10 autocast would serve training the weights that it converted here without
                # their gradient (pytorch/pytorch#165068).
                torch.clear_autocast_cache()


def device_of(model: nn.Module) -> torch.device:
    """Return the device of a model's first parameter or buffer; the CPU if it has neither.

    Source: definition. Cost: none.

    >>> device_of(nn.Linear(1, 1)), device_of(nn.ReLU())
    (device(type='cpu'), device(type='cpu'))
    """
    first = next(chain(model.parameters(), model.buffers()), None)
    return torch.device("cpu") if first is None else first.device


def plain_module(model: nn.Module) -> nn.Module:
    """Return the module inside ``torch.compile`` and data-parallel wrappers.

    Compiled code would be compiled again for another mode and skips hooks; a distributed wrapper would wait
    for processes that do not evaluate. Parameters are the same tensors, and names lose the wrapper's prefix.

    Source: definition. Cost: none.

    >>> model = nn.Linear(1, 1)
    >>> plain_module(nn.DataParallel(model)) is model
    True
    """
    while True:
        is_parallel = isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel)
        inner: object = getattr(model, "module" if is_parallel else "_orig_mod", None)
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def _written(model: nn.Module) -> Iterator[tuple[nn.Module, str, Tensor]]:
    for module in model.modules():
        for name, buffer in module.named_buffers(recurse=False):
            yield module, name, buffer
        if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.max_norm is not None:
            yield module, "weight", module.weight


@contextmanager
def _same_modes(model: nn.Module) -> Generator[None]:
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def _same_random_state(device: torch.device) -> Generator[None]:
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the state others draw from
    accelerated = device.type not in {"cpu", "meta"}
    devices = [device] if accelerated else []
    try:
        with fork_rng(devices, device_type=device.type if accelerated else "cuda"):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002 - as above


@contextmanager
def _same_generators(data: Sequence[object]) -> Generator[None]:
    found = [getattr(owner, "generator", None) for each in data for owner in _drawing(each)]
    states = [(g, g.get_state()) for g in found if isinstance(g, torch.Generator)]
    try:
        yield
    finally:
        for generator, state in states:
            generator.set_state(state)


def _drawing(data: object) -> tuple[object, ...]:
    """Return what of a split may draw at random."""
    batch_sampler = getattr(data, "batch_sampler", None)
    return data, getattr(data, "sampler", None), batch_sampler, getattr(batch_sampler, "sampler", None)
