"""What training is counted in: our metrics, or one that is called as the unit."""

import polars as pl

from grokscope.interventions.outcomes.units import with_units


def test_a_metric_that_is_called_as_a_unit_counts_it_where_there_is_none_of_ours():
    rows = [("a", "seconds", 10, 5.0), ("a", "loss", 10, 1.0), ("a", "tokens", 10, 7.0)]
    rows += [("a", "progress/tokens", 10, 64.0)]
    curves = pl.DataFrame(rows, schema=["run_id", "metric", "step", "value"], orient="row")
    found = with_units(curves).filter(pl.col("metric") == "loss")
    assert found.select("seconds", "tokens").rows() == [(5.0, 64.0)]
