"""How well it is known where log odds of 0 lie: the settings that a likelihood ratio does not reject."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from grokscope.interventions.designs.logistic import LEAST_INFORMATION, LogisticFit, inverse

FloatArray = NDArray[np.float64]

MOST_SETTINGS = 500
"""Beyond so many different settings the information tells as much as the likelihood ratio, and is cheap."""
_BISECTIONS = 18
_STEPS = (25, 6)
"""Steps of Newton from the fit, and from what was found nearby."""
_LONGEST, _SETTLED = 2.0, 1e-5

Data = tuple[FloatArray, FloatArray, FloatArray]
"""Design, reached and tried, as ``logistic_fit`` takes them."""


def half_way(
    fit: LogisticFit, data: Data, at: FloatArray, across: FloatArray, *, level: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return where log odds of 0 lie along ``across`` from each row of ``at``, and the interval's two ends.

    The interval holds the places u with 2 (L - max over β with (at + u across)ᵀβ = 0 of L(β)) below the
    quantile of χ² with one degree of freedom, L being Firth's penalized log likelihood (Heinze and Schemper
    2002).
    Beyond ``MOST_SETTINGS`` it is Fieller's, from the inverse information.

    Args:
        fit: Of the data.
        data: What it was fitted to.
        at: Rows of the design with 0 for the variable that is solved for, shape (k, p).
        across: The row of that variable alone, shape (p,).
        level: Of the interval.

    Returns:
        Three arrays of shape (k,); an end is infinite where the likelihood ratio never rejects.
    """
    quantile = float(special.chdtri(1, 1 - level))
    middle = -(at @ fit.coefficients) / float(across @ fit.coefficients)
    if len(data[0]) > MOST_SETTINGS:
        return middle, *_fieller(fit, at, across, quantile)
    # A place is an angle from the middle, so that infinity is a place like others.
    base = at + middle[:, None] * across
    rows = np.concatenate([base, base])
    ways = np.concatenate([-across[None, :].repeat(len(at), 0), across[None, :].repeat(len(at), 0)])
    best = float(_penalized(fit.coefficients[None, :], data)[0][0])
    start = np.broadcast_to(fit.coefficients, rows.shape).copy()
    inside, outside = np.zeros(len(rows)), np.full(len(rows), math.pi / 2)
    ratio, _ = _ratios(start, ways, data, best, steps=_STEPS[0])
    never = ratio < quantile
    beta = start
    for turn in range(_BISECTIONS):
        angle = (inside + outside) / 2
        lines = np.cos(angle)[:, None] * rows + np.sin(angle)[:, None] * ways
        ratio, beta = _ratios(beta, lines, data, best, steps=_STEPS[min(turn, 1)])
        inside, outside = (
            np.where(ratio < quantile, angle, inside),
            np.where(ratio < quantile, outside, angle),
        )
    width = np.where(never, np.inf, np.tan((inside + outside) / 2))
    return middle, middle - width[: len(at)], middle + width[len(at) :]


def _ratios(
    beta: FloatArray, lines: FloatArray, data: Data, best: float, *, steps: int
) -> tuple[FloatArray, FloatArray]:
    """Return the likelihood ratio against log odds of 0 at each of ``lines``, and the coefficients there."""
    unit = lines / np.linalg.norm(lines, axis=1, keepdims=True)
    beta = beta - np.sum(beta * unit, axis=1, keepdims=True) * unit
    # Directions that keep log odds of 0: the other columns of a reflection that takes the first axis to it.
    free = np.linalg.svd(unit[:, None, :])[2][:, 1:]
    highest, found = np.full(len(beta), -np.inf), beta
    for _ in range(steps):
        likelihood, score, information = _penalized(beta, data)
        is_higher = likelihood > highest
        highest, found = np.where(is_higher, likelihood, highest), np.where(is_higher[:, None], beta, found)
        inner = free @ information @ free.transpose(0, 2, 1)
        step = np.linalg.solve(inner, free @ score[:, :, None])[:, :, 0]
        size = np.max(np.abs(step), axis=1, keepdims=True)
        if np.max(size) < _SETTLED:
            break
        step = step * np.minimum(1.0, _LONGEST / np.maximum(size, _LONGEST))
        beta = beta + (step[:, None, :] @ free)[:, 0, :]
    return 2 * (best - highest), found


def _penalized(beta: FloatArray, data: Data) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the penalized log likelihood of each row of coefficients, its gradient and the information."""
    design, reached, tried = data
    odds = beta @ design.T
    share = special.expit(odds)
    weight = tried * share * (1 - share)
    information = np.einsum("kn,ni,nj->kij", weight, design, design, optimize=True)
    information = information + LEAST_INFORMATION * np.eye(design.shape[1])
    covariance = inverse(information)
    leverage = weight * np.sum((design @ covariance) * design, axis=2)
    likelihood = special.log_expit(odds) @ reached + special.log_expit(-odds) @ (tried - reached)
    score = (reached - tried * share + leverage * (0.5 - share)) @ design
    return likelihood + np.linalg.slogdet(information)[1] / 2, score, information


def _fieller(
    fit: LogisticFit, at: FloatArray, across: FloatArray, quantile: float
) -> tuple[FloatArray, FloatArray]:
    """Return the two ends between which log odds of 0 lie within their standard errors (Fieller 1954)."""
    start, slope = at @ fit.coefficients, float(across @ fit.coefficients)
    squared = slope**2 - quantile * float(across @ fit.covariance @ across)
    if squared <= 0:
        return np.full(len(at), -np.inf), np.full(len(at), np.inf)
    middle = start * slope - quantile * (at @ fit.covariance @ across)
    rest = start**2 - quantile * np.einsum("ij,jk,ik->i", at, fit.covariance, at)
    root = np.sqrt(np.maximum(middle**2 - squared * rest, 0.0))
    return (-middle - root) / squared, (-middle + root) / squared
