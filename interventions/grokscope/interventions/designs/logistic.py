"""Logistic regression with Firth's penalty: finite coefficients even where the groups are separated."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import special

FloatArray = NDArray[np.float64]

LEAST_INFORMATION = 1e-10
"""Added to the information, so that it can be inverted where all shares are 0 or 1."""
_STEPS = 50
_HALVINGS = 20
_SETTLED = 1e-9
_LONGEST = 2.0
HEAVY, WIDE = 4, 2.0
"""Degrees of freedom of what draws are proposed from, for tails heavier than the posterior's, and how much
wider its second part is."""
DRAWS = (400, 2000)
"""Of the posterior, at least and at most: fewer of many settings, whose posterior is close to normal."""
_MOST_NUMBERS = 2_000_000
_SMALLEST = 1e-300


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticFit:
    """Coefficients of log odds.

    Attributes:
        coefficients: Shape (p,).
        covariance: Inverse of the Fisher information there, shape (p, p).
        likelihood: Logarithm of the likelihood there, without the penalty.
    """

    coefficients: FloatArray
    covariance: FloatArray
    likelihood: float


def logistic_fit(design: FloatArray, reached: FloatArray, tried: FloatArray) -> LogisticFit:
    """Return the coefficients that maximize the likelihood times √|I(β)|, the penalty of Firth (1993).

    The same as the mode under Jeffreys' prior. It takes away the first-order bias of maximum likelihood and
    is finite where a line separates those that reach from those that do not (Heinze and Schemper 2002).

    Args:
        design: One row a setting, shape (n, p), of full rank.
        reached: How many runs of each setting reached the target, shape (n,).
        tried: How many there were, shape (n,).

    >>> fit = logistic_fit(np.array([[1.0]]), np.array([3.0]), np.array([3.0]))
    >>> special.expit(fit.coefficients).round(4)  # (3 + ½) / (3 + 1)
    array([0.875])
    """
    beta = np.zeros(design.shape[1])
    likelihood, score, covariance = _at(beta, design, reached, tried)
    for _ in range(_STEPS):
        step = covariance @ score
        step *= min(1.0, _LONGEST / max(float(np.max(np.abs(step))), _SETTLED))
        if float(np.max(np.abs(step))) < _SETTLED:
            break
        there = _at(beta + step, design, reached, tried)
        for _ in range(_HALVINGS):
            if there[0] >= likelihood - _SETTLED:
                break
            step = step / 2
            there = _at(beta + step, design, reached, tried)
        beta = beta + step
        likelihood, score, covariance = there
    return LogisticFit(
        coefficients=beta, covariance=covariance, likelihood=_log_likelihood(design @ beta, reached, tried)
    )


def _at(
    beta: FloatArray, design: FloatArray, reached: FloatArray, tried: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    """Return the penalized log likelihood, its gradient and the inverse of the information."""
    odds = design @ beta
    share = special.expit(odds)
    weight = tried * share * (1 - share)
    information = design.T @ (weight[:, None] * design) + LEAST_INFORMATION * np.eye(len(beta))
    covariance = inverse(information)
    leverage = weight * np.einsum("ij,jk,ik->i", design, covariance, design)
    score = design.T @ (reached - tried * share + leverage * (0.5 - share))
    fit = _log_likelihood(odds, reached, tried)
    return fit + float(np.linalg.slogdet(information)[1]) / 2, score, covariance


def posterior(
    fit: LogisticFit, design: FloatArray, reached: FloatArray, tried: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return what the coefficients may be under Jeffreys' prior: draws, shape (d, p), and their weights.

    By importance sampling from two t distributions about the fit, one twice as wide: where a line separates
    the groups, the posterior is far from normal. Weights add up to 1. The draws are the same for the same
    data.

    Args:
        fit: Of the same data.
        design: As of ``logistic_fit``.
        reached: As there.
        tried: As there.
    """
    from scipy import stats  # noqa: PLC0415  half a second, which other answers need not wait

    draws = int(np.clip(_MOST_NUMBERS // len(design), *DRAWS)) // 2
    t = cast("Any", stats.multivariate_t)
    scales = [t(fit.coefficients, size * fit.covariance, df=HEAVY) for size in (1, WIDE**2)]
    rng = np.random.default_rng(0)
    beta = np.concatenate([np.reshape(each.rvs(draws, random_state=rng), (draws, -1)) for each in scales])
    density = np.logaddexp(*(each.logpdf(beta) for each in scales))
    odds = beta @ design.T
    share = special.expit(odds)
    # log σ(-η) = log σ(η) - η
    likelihood = np.log(np.maximum(share, _SMALLEST)) @ tried - odds @ (tried - reached)
    width = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    information = ((share * (1 - share)) @ (tried[:, None] * products)).reshape(-1, width, width)
    # Far out the information vanishes in what a number holds, and such a draw has no weight.
    sign, penalty = np.linalg.slogdet(information)
    weights = np.where(sign > 0, likelihood + penalty / 2 - density, -np.inf)
    return beta, special.softmax(weights)


def inverse(matrices: FloatArray) -> FloatArray:
    """Return the inverse of each matrix, shape (..., p, p)."""
    return np.asarray(np.linalg.inv(matrices), dtype=np.float64)


def _log_likelihood(odds: FloatArray, reached: FloatArray, tried: FloatArray) -> float:
    return float(np.sum(reached * special.log_expit(odds) + (tried - reached) * special.log_expit(-odds)))
