"""A penalized logistic hazard in discrete time: the chance of reaching the target in a bin, not before it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.special import expit, log_expit

FloatArray = NDArray[np.float64]

PENALTY = 1.0
"""Of the squared weights of standardized features: a Gaussian prior with standard deviation 1 on each."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """A fitted hazard: logit h(x) = w₀ + Σ wᵢ (xᵢ − mᵢ) / sᵢ.

    Attributes:
        weights: Shape (features + 1,); the first is the intercept.
        means, scales: Of each feature in the rows that it was fitted to, shape (features,).
    """

    weights: FloatArray
    means: FloatArray
    scales: FloatArray

    @classmethod
    def fit(cls, rows: FloatArray, outcomes: NDArray[np.bool_], *, penalty: float = PENALTY) -> Self:
        """Return the hazard with the largest penalized likelihood.

            Σ log P(yᵢ | xᵢ) − ½ · penalty · Σ wⱼ²,   the intercept is not penalized

        Args:
            rows: One a run and bin that the run entered; shape (n, features).
            outcomes: Whether the target was reached in that bin, shape (n,).
            penalty: ≥ 0.

        Source: Singer and Willett 1993 for the hazard; ridge: Le Cessie and van Houwelingen 1992.

        >>> rows = np.array([[0.0], [0.0], [1.0], [1.0]])
        >>> hazard = Hazard.fit(rows, np.array([False, True, False, True]))
        >>> hazard.of(rows).round(3)
        array([0.5, 0.5, 0.5, 0.5])
        """
        means, scales = rows.mean(axis=0), rows.std(axis=0)
        scales = np.where(scales > 0, scales, 1.0)
        design = np.column_stack((np.ones(len(rows)), (rows - means) / scales))
        signs = np.where(outcomes, 1.0, -1.0)
        pull = np.full(design.shape[1], penalty)
        pull[0] = 0.0

        def loss(weights: FloatArray) -> tuple[float, FloatArray]:
            margins = signs * (design @ weights)
            slope = -design.T @ (signs * expit(-margins)) + pull * weights
            return float(-log_expit(margins).sum() + 0.5 * (pull * weights**2).sum()), slope

        found = optimize.minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B")
        return cls(np.asarray(found.x, dtype=np.float64), means, scales)

    def of(self, rows: FloatArray) -> FloatArray:
        """Return the hazard of each row, in 0 … 1."""
        return expit(self.weights[0] + ((rows - self.means) / self.scales) @ self.weights[1:])

    def reached_by(self, rows: FloatArray) -> FloatArray:
        """Return the chance to have reached the target by the end of each bin: 1 − Π (1 − h).

        Args:
            rows: The bins of one run in their order.
        """
        return 1.0 - np.cumprod(1.0 - self.of(rows))
