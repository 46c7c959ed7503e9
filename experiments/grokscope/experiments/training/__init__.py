"""How experiments train: one loop, its optimizers, and what is done to losses, gradients and weights."""
