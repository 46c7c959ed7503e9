"""What MLflow's client raises, as a sentence with what to do."""

import pytest

from grokscope.store.errors import StoreError
from grokscope.store.mlflow_client.errors import explained


@pytest.mark.parametrize(
    ("name", "needed", "itself"), [("psycopg2", "psycopg2", "psycopg2"), (None, "all of mlflow", "it")]
)
def test_what_is_not_installed_is_named(name, needed, itself):
    with pytest.raises(StoreError) as caught, explained("postgresql://ann:pw@h/db"):
        raise ImportError("no", name=name)
    assert str(caught.value) == (
        f"postgresql://h/db needs {needed}, which is not installed. "
        f"Run `pip install 'grokscope[dashboard]'`, or install {itself} itself."
    )


@pytest.mark.parametrize(("length", "shown"), [(200, "x" * 200), (201, "x" * 200 + "…")])
def test_a_long_error_is_cut_and_marked_so(length, shown):
    with pytest.raises(StoreError) as caught, explained("http://h"):
        raise ValueError("x" * length)
    assert str(caught.value) == f"http://h failed: {shown}. See the log of the store for the cause."
