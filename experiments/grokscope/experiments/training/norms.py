"""The norm of all weights, kept where a recipe wants it."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from grokscope.collectors.tensors.torch_stubs import vector_norm
from grokscope.experiments.recipe import Recipe


class NormClamp:
    """Scales all weights after each step so that their norm stays at a multiple of its start.

    Liu et al. 2022 (arXiv:2210.01117) train on spheres of one norm: grokking is there a matter of the norm.
    """

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self._parameters = [one for one in model.parameters() if one.requires_grad]
        self._norm = recipe.norm_clamp * self._norm_now().item()

    @torch.no_grad()
    def apply(self) -> None:
        """Scale the weights in place; without a clamp do nothing."""
        if self._norm:
            scale = self._norm / self._norm_now().clamp(min=1e-30)
            for one in self._parameters:
                one.mul_(scale)

    def _norm_now(self) -> Tensor:
        return vector_norm(parameters_to_vector(self._parameters))
