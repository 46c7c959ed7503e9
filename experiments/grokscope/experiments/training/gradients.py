"""What is done to gradients between backward and step."""

import torch
from torch import Tensor, nn

from grokscope.collectors.tensors.torch_stubs import vector_norm
from grokscope.experiments.recipe import Recipe


class GradientFilter:
    """Grokfast and orthogonal gradients, where the recipe asks for them; else nothing.

    Grokfast (Lee et al. 2024, arXiv:2405.20233) adds λ times an exponential mean of the gradients to each;
    the orthogonal gradient (Prieto et al. 2025, arXiv:2501.04697) is what is left of it beside the weights'
    own direction, at its old length.
    """

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self._parameters = [one for one in model.parameters() if one.requires_grad]
        self._recipe = recipe
        self._slow: list[Tensor] = []

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
        gradients = [one.grad for one in self._parameters if one.grad is not None]
        if not self._slow:
            self._slow = [gradient.clone() for gradient in gradients]
        for slow, gradient in zip(self._slow, gradients, strict=True):
            slow.mul_(memory).add_(gradient, alpha=1 - memory)
            gradient.add_(slow, alpha=amount)


def orthogonal(gradient: Tensor, weights: Tensor) -> Tensor:
    """Return what of a gradient is at a right angle to the weights, as long as the gradient was.

        g⊥ = (g - (⟨g, w⟩ / ⟨w, w⟩) w) · ‖g‖ / ‖g - (⟨g, w⟩ / ⟨w, w⟩) w‖

    Args:
        gradient: Any shape.
        weights: The same shape; where they are 0 the gradient stays.

    >>> orthogonal(torch.tensor([3.0, 4.0]), torch.tensor([1.0, 0.0]))
    tensor([0., 5.])
    """
    tiny = 1e-30
    share = (gradient * weights).sum() / (weights.square().sum() + tiny)
    rest = gradient - share * weights
    return rest * (vector_norm(gradient) / (vector_norm(rest) + tiny))
