"""Learning from reward: a pole on a cart, balanced by REINFORCE."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.optim import Adam

from grokscope.experiments.ordinary.loops import Row, mlp

_EPISODES = 16
_STEPS = 150
_FALLEN = torch.tensor([2.4, 12 * torch.pi / 180])


def pole_balanced() -> Iterator[Row]:
    """Balance the pole for at most 150 steps; names as CleanRL has them, on environment steps."""
    torch.manual_seed(61)
    policy = mlp(4, 32, 2)
    optimizer = Adam(policy.parameters(), lr=1e-2)
    step = 0
    for _ in range(100):
        log_probs, alive = _rollout(policy)
        lengths = alive.sum(dim=0)
        step += int(lengths.sum())
        # What is still to come counts: an action is not to blame for what was before it.
        to_come = alive.flip(0).cumsum(dim=0).flip(0)
        seen = alive > 0
        advantage = (to_come - to_come[seen].mean()) / (to_come[seen].std() + 1e-6)
        loss = -(log_probs * advantage * alive).sum() / alive.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield step, {"charts/episodic_return": lengths.mean().item(), "losses/policy_loss": loss.item()}


def _rollout(policy: torch.nn.Module) -> tuple[Tensor, Tensor]:
    """Play side by side; return log-probabilities and who was upright, both [steps, episodes]."""
    state = 0.1 * torch.rand(_EPISODES, 4) - 0.05
    upright = torch.ones(_EPISODES)
    log_probs: list[Tensor] = []
    alive: list[Tensor] = []
    for _ in range(_STEPS):
        chances = policy(state).log_softmax(dim=1)
        actions = torch.multinomial(chances.detach().exp(), 1)
        log_probs.append(chances.gather(1, actions).squeeze(1))
        alive.append(upright)
        state = _moved(state, 20.0 * actions.squeeze(1) - 10.0)
        upright = upright * (state[:, ::2].abs() < _FALLEN).all(dim=1)
        if not upright.any():
            break
    return torch.stack(log_probs), torch.stack(alive)


def _moved(state: Tensor, force: Tensor) -> Tensor:
    """Return position, speed, angle and its speed 0.02 s later.

    Source: Barto, Sutton and Anderson 1983, with the constants of Gymnasium's CartPole.
    """
    _, speed, angle, turning = state.unbind(dim=1)
    sine, cosine = angle.sin(), angle.cos()
    push = (force + 0.05 * turning**2 * sine) / 1.1
    turn = (9.8 * sine - cosine * push) / (0.5 * (4 / 3 - 0.1 * cosine**2 / 1.1))
    change = torch.stack([speed, push - 0.05 * turn * cosine / 1.1, turning, turn], dim=1)
    return state + 0.02 * change
