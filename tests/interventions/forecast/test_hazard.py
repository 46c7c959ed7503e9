"""The penalized logistic hazard."""

import numpy as np
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from grokscope.interventions.forecast.hazard import Hazard


def test_without_a_penalty_one_yes_or_no_feature_gives_the_shares():
    rows = np.repeat([[0.0], [1.0]], 10, axis=0)
    outcomes = np.concatenate((np.arange(10) < 2, np.arange(10) < 7))
    np.testing.assert_allclose(
        Hazard.fit(rows, outcomes, penalty=0.0).of(np.array([[0.0], [1.0]])), [0.2, 0.7], atol=1e-4
    )


def test_it_equals_another_implementation_of_ridge_logistic_regression():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(80, 4)) * [1, 5, 0.1, 2]
    outcomes = rng.random(80) < 1 / (1 + np.exp(-rows[:, 0] - 0.5))
    ours = Hazard.fit(rows, outcomes, penalty=2.0)
    standard = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    theirs = LogisticRegression(C=1 / 2.0, tol=1e-10, max_iter=1000).fit(standard, outcomes)
    np.testing.assert_allclose(ours.weights, [theirs.intercept_[0], *theirs.coef_[0]], atol=1e-4)


def test_a_feature_that_is_the_same_in_all_rows_changes_nothing():
    rows, outcomes = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([False, True, False, True])
    with_constant = np.column_stack((rows, np.full(4, 7.0)))
    np.testing.assert_allclose(
        Hazard.fit(rows, outcomes).of(rows), Hazard.fit(with_constant, outcomes).of(with_constant), atol=1e-6
    )


def test_the_chance_to_have_reached_by_a_bin_is_that_of_not_missing_every_bin_so_far():
    hazard = Hazard(np.array([0.0, 1.0]), np.zeros(1), np.ones(1))
    rows = logit(np.array([[0.5], [0.2], [0.1]]))
    np.testing.assert_allclose(hazard.reached_by(rows), [0.5, 1 - 0.5 * 0.8, 1 - 0.5 * 0.8 * 0.9])
