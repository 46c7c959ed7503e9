"""A model as a function of its parameters: logits, loss, gradient, Hessian products that alter nothing."""

from collections.abc import Callable, Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy

from grokscope.collectors.evaluating.batches import Inputs, parts_of
from grokscope.collectors.evaluating.preserved_state import plain_module
from grokscope.collectors.tensors.predictions import logits_of

Predict = Callable[[Sequence[Tensor]], Tensor]
"""From parameters, in the order of ``trained``, to logits ``[N, C]``."""

Loss = Callable[[Sequence[Tensor]], Tensor]
"""From parameters to a scalar."""

Criterion = Callable[[Tensor, Tensor], Tensor]
"""From logits ``[N, C]`` and targets ``[N]`` to a scalar, as ``torch.nn.functional.cross_entropy``."""

Product = Callable[[Tensor], Tensor]
"""From a vector ``[P]`` to a symmetric matrix times it."""


def trained(model: nn.Module) -> dict[str, Tensor]:
    """Return the parameters that training moves, by name, without their graph; they share the model's memory.

    Source: definition. Cost: none.

    >>> list(trained(nn.Linear(2, 3)))
    ['weight', 'bias']
    """
    return {name: p.detach() for name, p in plain_module(model).named_parameters() if p.requires_grad}


def predictor(model: nn.Module, inputs: Inputs, *, logits: Callable[[object], Tensor] = logits_of) -> Predict:
    """Return the model's logits on ``inputs`` as a function of its trained parameters.

    The model itself is only read. Attention runs as plain matrix products: torch's fused kernels have no
    second derivative.

    Args:
        model: Gives logits ``[..., C]`` as a tensor or as ``.logits``; every dimension but the last counts
            samples.
        inputs: One tensor, or several for ``model(*inputs)``, on the model's device.
        logits: From what the model returns to ``[..., C]``.

    Raises:
        TypeError: When called, if the model does not return logits.

    Source: definition. Cost: one forward pass a call.

    >>> model = nn.Linear(2, 3, bias=False)
    >>> predictor(model, torch.ones(1, 2))([torch.ones(3, 2)])
    tensor([[2., 2., 2.]])
    """
    model = plain_module(model)
    names = list(trained(model))

    def predict(parameters: Sequence[Tensor]) -> Tensor:
        with sdpa_kernel(SDPBackend.MATH):
            values = dict(zip(names, parameters, strict=True))
            output: object = functional_call(model, values, parts_of(inputs))
        return logits(output).flatten(0, -2)

    return predict


def loss_of(predict: Predict, targets: Tensor, *, criterion: Criterion = cross_entropy) -> Loss:
    """Return the loss of a predictor as a function of the parameters.

    Args:
        predict: Gives logits ``[N, C]``.
        targets: ``[N]`` class indices, or rows ``[N, D]`` of numbers, as ``criterion`` takes them.
        criterion: What training minimises.

    Source: definition. Cost: that of ``predict``.

    >>> loss = loss_of(lambda parameters: parameters[0], torch.tensor([0]))
    >>> loss([torch.zeros(1, 2)])
    tensor(0.6931)
    """
    return lambda parameters: criterion(predict(parameters), target_rows(targets))


def target_rows(targets: Tensor) -> Tensor:
    """Return targets a row of logits: class indices ``[N]``, or numbers ``[N, D]``.

    Source: definition. Cost: a view.

    >>> target_rows(torch.zeros(2, 3).long()).shape, target_rows(torch.zeros(2, 3)).shape
    (torch.Size([6]), torch.Size([2, 3]))
    """
    is_row = targets.is_floating_point() and targets.ndim > 1
    return targets.flatten(0, -2) if is_row else targets.flatten()


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """Return tensors as one vector ``[P]``.

    Source: definition. Cost: one copy.

    >>> flat([torch.zeros(1, 2), torch.ones(1)])
    tensor([0., 0., 1.])
    """
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def unflat(vector: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Return a vector ``[P]`` cut into the shapes of ``like``.

    Source: definition. Cost: views.

    >>> unflat(torch.arange(3), [torch.zeros(1, 2), torch.zeros(1)])
    [tensor([[0, 1]]), tensor([2])]
    """
    ends = accumulate(tensor.numel() for tensor in like)
    return [
        vector[end - tensor.numel() : end].view(tensor.shape) for tensor, end in zip(like, ends, strict=True)
    ]


def value_and_gradient(loss: Loss, parameters: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the loss and its gradient as one vector ``[P]``; no ``.grad`` is written.

    Source: definition. Cost: one forward and one backward pass.

    >>> value_and_gradient(lambda p: p[0].square().sum(), [torch.tensor([1.0, 2.0])])
    (tensor(5.), tensor([2., 4.]))
    """
    with torch.enable_grad():
        leaves = _leaves(parameters)
        value = loss(leaves)
        gradient = torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
    return value.detach(), flat(gradient)


def hessian_product(loss: Loss, parameters: Sequence[Tensor]) -> Product:
    """Return the function v -> H v, where H is the loss's Hessian in the parameters.

    The forward and the first backward pass are made once, and their graph is kept for every product.

    Args:
        loss: Twice differentiable; a parameter that it does not use has zero curvature.
        parameters: Where the Hessian is taken.

    Source: Pearlmutter 1994. Cost: one forward and backward pass, then one backward pass through both a
    product; memory of their graph while the function is held.

    >>> product = hessian_product(lambda p: (p[0] ** 3).sum(), [torch.tensor([1.0, 2.0])])
    >>> product(torch.tensor([1.0, 1.0]))
    tensor([ 6., 12.])
    """
    with torch.enable_grad():
        leaves = _leaves(parameters)
        gradients = torch.autograd.grad(
            loss(leaves), leaves, create_graph=True, allow_unused=True, materialize_grads=True
        )
    curved = [i for i, gradient in enumerate(gradients) if gradient.requires_grad]

    def product(vector: Tensor) -> Tensor:
        if not curved:
            return torch.zeros_like(vector)
        parts = unflat(vector, parameters)
        products = torch.autograd.grad(
            [gradients[i] for i in curved],
            leaves,
            [parts[i] for i in curved],
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
        return flat(products)

    return product


def _leaves(parameters: Sequence[Tensor]) -> list[Tensor]:
    return [parameter.detach().requires_grad_() for parameter in parameters]
