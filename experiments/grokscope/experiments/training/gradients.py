"""What is done to gradients between backward and step."""

import torch
from torch import Tensor, nn

from grokscope.collectors.tensors.torch_stubs import vector_norm
from grokscope.experiments.recipe import Recipe

_ROUNDING = 4
"""Units of the last place that a difference of two equal vectors may be long."""


class GradientFilter:
    """Grokfast and orthogonal gradients, where the recipe asks for them; else nothing.

    Grokfast (Lee et al. 2024, arXiv:2405.20233) adds λ times an exponential mean of the gradients to each;
    the orthogonal gradient (Prieto et al. 2025, arXiv:2501.04697) is what is left of it beside the weights'
    own direction, at its old length.
    """

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self._parameters = [one for one in model.parameters() if one.requires_grad]
        self._recipe = recipe
        self._slow: dict[nn.Parameter, Tensor] = {}

    @torch.no_grad()
    def apply(self) -> None:
        """Change the gradients in place."""
        if self._recipe.grokfast:
            self._amplify_slow(self._recipe.grokfast, self._recipe.grokfast_memory)
        if self._recipe.orthogonal_gradient:
            for one in self._parameters:
                if one.grad is not None:
                    one.grad.copy_(orthogonal(one.grad, one))

    def _amplify_slow(self, amount: float, memory: float) -> None:
        for one in self._parameters:
            if one.grad is None:  # not every step needs every parameter
                continue
            if one not in self._slow:
                self._slow[one] = one.grad.clone()
            self._slow[one].mul_(memory).add_(one.grad, alpha=1 - memory)
            one.grad.add_(self._slow[one], alpha=amount)


def orthogonal(gradient: Tensor, weights: Tensor) -> Tensor:
    """Return what of a gradient is at a right angle to the weights, as long as the gradient was.

        g⊥ = (g - (⟨g, w⟩ / ⟨w, w⟩) w) · ‖g‖ / ‖g - (⟨g, w⟩ / ⟨w, w⟩) w‖

    Args:
        gradient: Any shape.
        weights: The same shape. If all are 0 the gradient stays; if it is parallel to them, nothing does.

    >>> orthogonal(torch.tensor([3.0, 4.0]), torch.tensor([1.0, 0.0]))
    tensor([0., 5.])
    """
    tiny = torch.finfo(gradient.dtype).tiny
    share = (gradient * weights).sum() / weights.square().sum().clamp(min=tiny)
    rest = gradient - share * weights
    before, after = vector_norm(gradient), vector_norm(rest)
    # Less than this is rounding, and would be scaled up to a step in no direction of the loss.
    is_parallel = after <= _ROUNDING * torch.finfo(gradient.dtype).eps * before
    return rest * torch.where(is_parallel, 0.0, before / after.clamp(min=tiny))
