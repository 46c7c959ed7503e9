"""Looking at a model in training without leaving a trace."""

import random
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import chain

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from grokscope.collectors.evaluating.saved_tensors import SavedTensors, WrittenParameters
from grokscope.collectors.tensors.torch_stubs import fork_rng, tables_of
from grokscope.schemas import GrokscopeError

_MOST_NAMES = 3


@contextmanager
def preserved_state(
    model: nn.Module, *data: object, written: WrittenParameters | None = None
) -> Generator[None]:
    """Put the model into evaluation mode without gradients, and on leaving put everything back.

    What comes back: the mode of every submodule (also where a parent's mode differs), buffers, parameters
    as far as ``written`` tells, ``requires_grad``, which tensors a module holds, the random state of
    Python, NumPy and torch on the model's device, and the generators of a ``DataLoader`` in ``data`` with
    its sampler. Not caught are plain attributes that a forward pass sets (a counter that is no buffer),
    and a loader with persistent workers that training is iterating over. Modes are set flag by flag: an
    overridden ``train`` may do more than set a mode. It comes back to the end even where a signal's
    handler breaks off in between.

    Args:
        model: Any module; a parameter or buffer tells its device.
        data: All that will be read inside; only loaders' own generators matter.
        written: By the model's forward pass, if it is looked at again and again; see ``WrittenParameters``.

    Raises:
        GrokscopeError: If parameters are still to be made by the model's first forward pass (lazy modules):
            made here, they would take random numbers from training.

    Source: definition. Cost: a copy of the buffers, some 0.1 ms of random states.

    >>> model = nn.Dropout()
    >>> with preserved_state(model):
    ...     model.training, torch.is_grad_enabled()
    (False, False)
    >>> model.training
    True
    """
    modes = [(module, module.training) for module in model.modules()]
    _check_made(model, [module for module, _ in modes])
    device = device_of(model)
    with _same_random_state(device), same_generators(data), torch.no_grad():
        saved = SavedTensors(model, written)
        try:
            with _put_back(lambda: _set_modes(modes)), _put_back(saved.restore):
                for module, _ in modes:
                    module.training = False
                yield
            saved.report()  # but not of a look that was broken off: it has not seen all
        finally:
            _forget_conversions(device)


def device_of(model: nn.Module) -> torch.device:
    """Return the device of a model's first parameter or buffer that has values; the CPU if none has.

    Where Accelerate offloads all of them, it is the device that they are brought to.

    Source: definition. Cost: none.

    >>> device_of(nn.Linear(1, 1)), device_of(nn.ReLU())
    (device(type='cpu'), device(type='cpu'))
    """
    for tensor in chain(model.parameters(), model.buffers()):
        if not tensor.is_meta:
            return tensor.device
    for module in model.modules():
        place: object = getattr(getattr(module, "_hf_hook", None), "execution_device", None)
        if isinstance(place, int | str | torch.device):
            return torch.device(place)
    return torch.device("cpu")


def plain_module(model: nn.Module) -> nn.Module:
    """Return the module inside ``torch.compile``, data-parallel wrappers and those of Lightning's Fabric.

    Compiled code would be compiled again for another mode and skips hooks; a distributed wrapper would wait
    for processes that do not evaluate. Parameters are the same tensors, and names lose the wrapper's prefix.

    Source: definition. Cost: none.

    >>> model = nn.Linear(1, 1)
    >>> plain_module(nn.DataParallel(model)) is model
    True
    """
    while True:
        is_parallel = isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel)
        is_of_fabric = hasattr(model, "_forward_module") and hasattr(model, "_original_module")
        name = "module" if is_parallel else "_original_module" if is_of_fabric else "_orig_mod"
        inner: object = getattr(model, name, None)
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def _check_made(model: nn.Module, modules: Sequence[nn.Module]) -> None:
    held = chain.from_iterable(table.values() for module in modules for table in tables_of(module))
    if not any(tensor is not None and is_lazy(tensor) for tensor in held):
        return
    tensors = chain(model.named_parameters(), model.named_buffers())
    waiting = [name for name, tensor in tensors if is_lazy(tensor)]
    more = f" and {len(waiting) - _MOST_NAMES} more" if len(waiting) > _MOST_NAMES else ""
    raise GrokscopeError(
        f"{', '.join(waiting[:_MOST_NAMES])}{more} are made by the model's first forward pass, so "
        "nothing is measured before that of training; to measure the start too, run a batch through the "
        "model before the tracker is made"
    )


def _forget_conversions(device: torch.device) -> None:
    if torch.is_autocast_enabled(device.type):
        # Up to torch 2.10 autocast would serve training the weights that it converted here without
        # their gradient (pytorch/pytorch#165068).
        torch.clear_autocast_cache()


@contextmanager
def _put_back(restore: Callable[[], None]) -> Generator[None]:
    """Restore on leaving; what breaks off the restoring passes once it has been done from the beginning."""
    try:
        yield
    finally:
        try:
            restore()
        except BaseException:
            restore()
            raise


def _set_modes(modes: Sequence[tuple[nn.Module, bool]]) -> None:
    for module, mode in modes:
        module.training = mode


@contextmanager
def _same_random_state(device: torch.device) -> Generator[None]:
    host, python = torch.get_rng_state(), random.getstate()
    numpy = np.random.get_state()  # noqa: NPY002 - the state others draw from

    def restore() -> None:
        torch.set_rng_state(host)
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002 - as above

    is_host = device.type in {"cpu", "meta"}  # whose state is put back above
    with _put_back(restore), nullcontext() if is_host else fork_rng([device], device_type=device.type):
        yield


@contextmanager
def same_generators(data: Sequence[object]) -> Generator[None]:
    """Put the generators of loaders, and of their samplers, back on leaving.

    Source: definition. Cost: a copy of their states.

    >>> with same_generators([]):
    ...     pass
    """
    found = [getattr(owner, "generator", None) for each in data for owner in _drawing(each)]
    states = [(g, g.get_state()) for g in found if isinstance(g, torch.Generator)]

    def restore() -> None:
        for generator, state in states:
            generator.set_state(state)

    with _put_back(restore):
        yield


def _drawing(data: object) -> tuple[object, ...]:
    """Return what of a split may draw at random."""
    batch_sampler = getattr(data, "batch_sampler", None)
    return data, getattr(data, "sampler", None), batch_sampler, getattr(batch_sampler, "sampler", None)
