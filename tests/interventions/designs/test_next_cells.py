"""Where another run tells most: near the boundary, within the grid unless beyond it is asked for."""

import numpy as np
import polars as pl
import pytest
from scipy import special

from grokscope.experiments.sweeps.cells.space import settings_of
from grokscope.interventions.designs.boundary import model_of, outcomes
from grokscope.interventions.designs.next_cells import SUGGESTIONS, SuggestionError, next_cells


def runs_of(x, y, reached):
    frame = pl.DataFrame({"x": np.asarray(x, float), "y": np.asarray(y, float), "reached": reached})
    return frame.with_columns(low=1.0, high=pl.when("reached").then(2.0), spent=pl.lit(9.0))


X, Y = (each.ravel() for each in np.meshgrid([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 2.0], indexing="ij"))


def test_the_cells_on_both_sides_of_a_sharp_boundary_are_suggested_first():
    found = next_cells(runs_of(X, Y, X > 3), x="x", y="y", count=2)
    assert set(found.suggestions["x"]) <= {3.0, 4.0}
    assert found.suggestions["y"].n_unique() == 2
    assert found.missing is None
    assert "takes" in found.suggestions["sentence"][0]


def test_an_unvisited_cell_on_the_boundary_is_told_to_be_one():
    costs = runs_of(X, Y, X > 3).filter(~((pl.col("x") == 4) & (pl.col("y") == 2)))
    found = next_cells(costs, x="x", y="y", count=1).suggestions.row(0, named=True)
    assert (found["x"], found["y"], found["runs"]) == (4.0, 2.0, 0)
    assert "nobody has trained it" in found["sentence"]


def test_the_reduction_is_that_of_the_posterior_on_a_fine_grid():
    costs = runs_of(
        np.repeat(X, 3), np.repeat(Y, 3), np.random.default_rng(1).random(36) < np.repeat(X, 3) / 7
    )
    model = model_of(outcomes(costs, ("x", "y"), budget=None), ("x", "y"))
    design, reached, tried = model.data
    root = np.linalg.cholesky(model.fit.covariance)
    axes = np.meshgrid(*[np.linspace(-5, 5, 31)] * 3, indexing="ij")
    beta = model.fit.coefficients + np.stack([axis.ravel() for axis in axes], axis=1) @ root.T
    share = special.expit(beta @ design.T)
    information = np.einsum("bn,ni,nj->bij", share * (1 - share) * tried, design, design)
    weight = special.softmax(
        special.xlogy(reached, share).sum(1)
        + special.xlogy(tried - reached, 1 - share).sum(1)
        + np.linalg.slogdet(information)[1] / 2
    )
    places = np.stack([each.ravel() for each in np.meshgrid(np.linspace(1, 6, 20), [*np.linspace(1, 2, 20)])])
    side = (model.design(*places) @ beta.T > 0).astype(float)
    first = next_cells(costs, x="x", y="y", count=1).suggestions.row(0, named=True)
    outcome = special.expit(model.design(np.array([first["x"]]), np.array([first["y"]])) @ beta.T)[0]
    mean, sides = outcome @ weight, side @ weight
    if_reached, if_missed = side @ (weight * outcome) / mean, side @ (weight * (1 - outcome)) / (1 - mean)
    left = mean * if_reached * (1 - if_reached) + (1 - mean) * if_missed * (1 - if_missed)
    assert first["probability"] == pytest.approx(mean, abs=0.02)
    assert first["reduction"] == pytest.approx(1 - left.sum() / (sides * (1 - sides)).sum(), rel=0.15)


def test_nothing_outside_of_the_values_tried_is_suggested_unless_asked_for():
    costs = runs_of(X, Y, X > 5)
    inside = next_cells(costs, x="x", y="y", count=12).suggestions
    assert inside["x"].is_between(1, 6).all()
    assert inside["y"].is_between(1, 2).all()
    outside = next_cells(costs, x="x", y="y", count=40, beyond=1).suggestions
    assert (outside["x"].max(), outside["y"].max(), outside["y"].min()) == (7.0, 3.0, 1.0)


def test_where_none_reach_the_target_cells_far_from_all_that_was_trained_are_suggested():
    costs = runs_of([1.0, 2.0, 1.0], [1.0, 1.0, 2.0], [False] * 3)
    found = next_cells(costs, x="x", y="y")
    assert found.settings() == [{"x": 2.0, "y": 2.0}]
    assert found.missing == "none of the 3 runs reach the target: no boundary; unvisited cells instead"


def test_where_all_cells_were_trained_and_none_reach_it_looking_beyond_is_the_remedy():
    costs = runs_of(X, Y, np.zeros(len(X), bool))
    found = next_cells(costs, x="x", y="y")
    assert found.suggestions.columns == ["x", "y", *SUGGESTIONS]
    assert found.suggestions.is_empty()
    assert "let it look beyond the values tried" in found.missing
    assert len(next_cells(costs, x="x", y="y", beyond=1).suggestions) == 3


def test_cells_with_runs_on_their_way_only_count_as_visited():
    costs = runs_of([1.0, 2.0, 1.0, 2.0], [1.0, 1.0, 2.0, 2.0], [False] * 4)
    costs = costs.with_columns(spent=pl.Series([9.0, 9.0, 9.0, 3.0]))
    assert next_cells(costs, x="x", y="y").suggestions.is_empty()


def test_a_value_of_0_that_is_still_on_its_way_is_not_suggested_on_a_log_axis():
    costs = runs_of(X * X, Y, X > 3)
    waiting = costs.head(2).with_columns(x=0.0, reached=False, high=None, spent=pl.lit(3.0))
    found = next_cells(pl.concat([costs, waiting], how="vertical_relaxed"), x="x", y="y", count=40)
    assert found.suggestions["x"].min() == 1.0


def test_a_sweep_reads_the_settings_as_its_cells():
    settings = next_cells(runs_of(X, Y, X > 3), x="x", y="y", count=2).settings()
    assert settings_of({"cells": settings}) == settings


def test_suggestions_are_the_same_for_the_same_runs():
    costs = runs_of(X, Y, X > 3)
    first, again = (next_cells(costs, x="x", y="y").suggestions for _ in range(2))
    assert first.equals(again)


def test_no_suggestion_at_all_is_refused():
    with pytest.raises(SuggestionError, match="got 0 and 0"):
        next_cells(runs_of(X, Y, X > 3), x="x", y="y", count=0)
