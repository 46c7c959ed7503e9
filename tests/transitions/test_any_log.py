"""Whatever was logged, detect answers: no log makes it fail, and every answer has its JSON form."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from grokscope.schemas import verdict_from_json, verdict_to_json
from grokscope.transitions import detect, sensitivity

METRICS = [
    "train/accuracy",
    "test/accuracy",
    "val_acc",
    "train/loss",
    "test/loss",
    "x/acc",
    "progress/tokens",
]
VALUES = st.one_of(
    st.floats(0, 1), st.sampled_from([0.0, 0.3, 0.96, 1.0]), st.floats(allow_nan=True, allow_infinity=True)
)
POINTS = st.lists(
    st.tuples(st.sampled_from(METRICS), st.one_of(st.integers(0, 30), st.integers(-5, 10**12)), VALUES),
    max_size=120,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(POINTS)
def test_any_log_gets_one_verdict_a_run_that_survives_json(rows: list[tuple[str, int, float]]):
    schema = {"metric": pl.String, "step": pl.Int64, "value": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    verdicts = detect(frame)
    assert [verdict.run for verdict in verdicts] == (["run"] if rows else [])
    for verdict in verdicts:
        assert verdict_to_json(verdict_from_json(verdict_to_json(verdict))) == verdict_to_json(verdict)
        assert verdict.pattern.value != "other" or verdict.missing
    assert sensitivity(frame).columns == ["run_id", "definition", "step", "low", "high", "ratio", "depends"]
