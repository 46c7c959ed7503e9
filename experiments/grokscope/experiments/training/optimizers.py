"""Optimizers by the names that recipes have for them."""

from collections.abc import Iterable, Sequence
from typing import cast

from torch import nn
from torch.optim import SGD, Adam, AdamW, Muon, Optimizer

from grokscope.experiments.recipe import Recipe


def optimizers_of(model: nn.Module, recipe: Recipe) -> list[Optimizer]:
    """Return the optimizers that make a step of ``model`` together.

    Muon (Jordan 2024, https://kellerjordan.github.io/posts/muon) is for the hidden matrices only; embeddings,
    the output layer and vectors go to AdamW, as its author has it.

    Raises:
        ValueError: If muon finds no hidden matrix.
    """
    if recipe.optimizer == "muon":
        hidden = _hidden_matrices(model)
        if not hidden:
            raise ValueError("muon moves hidden matrices and this model has none; take optimizer=adamw")
        kept = {id(one) for one in hidden}
        others = [one for one in model.parameters() if id(one) not in kept]
        return [
            Muon(hidden, lr=recipe.lr, momentum=recipe.momentum_in_use, weight_decay=recipe.weight_decay),
            _adamw(others, recipe),
        ]
    parameters = list(model.parameters())
    if recipe.optimizer == "adam":
        betas = (recipe.beta1, recipe.beta2)
        return [Adam(parameters, lr=recipe.lr, betas=betas, eps=recipe.eps, weight_decay=recipe.weight_decay)]
    if recipe.optimizer == "sgd":
        return [SGD(parameters, lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay)]
    return [_adamw(parameters, recipe)]


def _adamw(parameters: Sequence[nn.Parameter], recipe: Recipe) -> AdamW:
    return AdamW(
        parameters,
        lr=recipe.lr,
        betas=(recipe.beta1, recipe.beta2),
        eps=recipe.eps,
        weight_decay=recipe.weight_decay,
    )


def _hidden_matrices(model: nn.Module) -> list[nn.Parameter]:
    modules = cast("Iterable[tuple[str, nn.Module]]", model.named_modules())
    return [
        cast("nn.Parameter", module.weight)
        for name, module in modules
        if isinstance(module, nn.Linear) and name.rsplit(".", 1)[-1] != "output"
    ]
