"""Adjusted e-values: the e-BH procedure by its definition, whatever the values are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grokscope.schemas.e_values import adjusted_e_values

VALUES = st.lists(st.floats(0, 1e6), max_size=30)


def rejected(e_values, alpha):
    """Return the places of the k largest for the largest k with e₍ₖ₎ ≥ m / (alpha k)."""
    order = np.argsort([-e for e in e_values], kind="stable")
    held = [k for k, place in enumerate(order, 1) if e_values[place] >= len(e_values) / (alpha * k)]
    return set(order[: max(held, default=0)].tolist())


@given(VALUES, st.sampled_from([0.01, 0.05, 0.3]))
def test_those_above_one_over_alpha_are_what_the_procedure_rejects(e_values, alpha):
    adjusted = adjusted_e_values(e_values)
    near = [abs(e * alpha - 1) < 1e-9 for e in adjusted]  # rounding may tell these either way
    found = {place for place, e in enumerate(adjusted) if e >= 1 / alpha}
    assert {place for place in found ^ rejected(e_values, alpha) if not near[place]} == set()


@given(VALUES)
def test_none_is_above_its_own_and_the_order_is_kept(e_values):
    adjusted = adjusted_e_values(e_values)
    assert len(adjusted) == len(e_values)
    assert all(one <= max(e_values) * (1 + 1e-12) for one in adjusted)
    order = np.argsort(e_values)
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
